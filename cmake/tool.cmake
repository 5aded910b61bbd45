# build/coppice
file(GLOB_RECURSE COPPICE_CLI_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/*.c ${PROJECT_SOURCE_DIR}/bench/*.c)
if(COPPICE_CLI_SOURCES)
  add_executable(coppice_tool ${COPPICE_CLI_SOURCES})
  set_target_properties(coppice_tool PROPERTIES OUTPUT_NAME coppice RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  target_link_libraries(coppice_tool PRIVATE coppice PkgConfig::CJSON ${FDT_LIBRARY})
  target_compile_definitions(coppice_tool PRIVATE COPPICE_VERSION="${PROJECT_VERSION}")
endif()
