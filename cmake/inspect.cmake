# Readers of dumps, the scan of a tree, views and lint: inspect/. Uses formats only. libkdumpfile reads what kdump compressed;
# without it such a dump is refused with a line that says so.
file(GLOB_RECURSE COPPICE_INSPECT_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/inspect/*.c)
if(COPPICE_INSPECT_SOURCES)
  add_library(coppice_inspect STATIC ${COPPICE_INSPECT_SOURCES})
  target_compile_definitions(coppice_inspect PRIVATE _GNU_SOURCE)
  target_link_libraries(coppice_inspect PUBLIC coppice lzma)
  pkg_check_modules(KDUMPFILE IMPORTED_TARGET libkdumpfile)
  if(KDUMPFILE_FOUND)
    target_compile_definitions(coppice_inspect PUBLIC COPPICE_HAVE_KDUMPFILE)
    target_link_libraries(coppice_inspect PUBLIC PkgConfig::KDUMPFILE)
  endif()
endif()
