# Limits are compiled as the library is, or a ratio would compare compilers' vector units.
file(GLOB walks CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/walks_*.c)
set_source_files_properties(${PROJECT_SOURCE_DIR}/bench/limits.c PROPERTIES COMPILE_OPTIONS "-O2;${COPPICE_KERNEL_FLAGS}")
# They take one function out of the template.
set_source_files_properties(${walks} PROPERTIES COMPILE_OPTIONS "-O2;${COPPICE_KERNEL_FLAGS};-Wno-unused-function")
