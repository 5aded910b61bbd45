# Readers of dumps, the scan of a tree, views and lint: inspect/. Uses formats only.
file(GLOB_RECURSE COPPICE_INSPECT_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/inspect/*.c)
if(COPPICE_INSPECT_SOURCES)
  add_library(coppice_inspect STATIC ${COPPICE_INSPECT_SOURCES})
  target_compile_definitions(coppice_inspect PRIVATE _GNU_SOURCE)
  target_link_libraries(coppice_inspect PUBLIC coppice lzma)
endif()
