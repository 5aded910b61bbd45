# Limits are compiled as the library is, or a ratio would compare compilers' vector units.
set_source_files_properties(${PROJECT_SOURCE_DIR}/bench/limits.c PROPERTIES COMPILE_OPTIONS
  "-O2;${COPPICE_KERNEL_FLAGS}")
