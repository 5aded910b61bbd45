# build/coppice, and the same sources as a library for their tests.
file(GLOB_RECURSE COPPICE_CLI_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/*.c)
file(GLOB_RECURSE COPPICE_BENCH_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*.c)
# Programs of their own on the simulated machine.
list(FILTER COPPICE_BENCH_SOURCES EXCLUDE REGEX "/bench/machine/")
list(REMOVE_ITEM COPPICE_CLI_SOURCES ${PROJECT_SOURCE_DIR}/cli/main.c)

# What the checker's rules and schedules mean is data: no simulated machine is needed to say it.
file(GLOB COPPICE_RULES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/checker/rules/*.c)
add_library(coppice_cli STATIC ${COPPICE_CLI_SOURCES} ${COPPICE_BENCH_SOURCES} ${PROJECT_SOURCE_DIR}/checker/rules.c
  ${COPPICE_RULES} ${PROJECT_SOURCE_DIR}/checker/schedule.c)
target_link_libraries(coppice_cli PUBLIC coppice_options PkgConfig::CJSON ${FDT_LIBRARY} m)
target_compile_definitions(coppice_cli PRIVATE _GNU_SOURCE)
target_link_libraries(coppice_cli PUBLIC coppice_inspect coppice coppice_engine)

add_executable(coppice_tool ${PROJECT_SOURCE_DIR}/cli/main.c)
set_target_properties(coppice_tool PROPERTIES OUTPUT_NAME coppice RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
target_link_libraries(coppice_tool PRIVATE coppice_cli)
target_compile_definitions(coppice_tool PRIVATE _GNU_SOURCE COPPICE_VERSION="${PROJECT_VERSION}"
  $<$<BOOL:${COPPICE_BENCH_SOURCES}>:COPPICE_HAVE_BENCH>)
