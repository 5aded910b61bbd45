# Recorded page tables are xz files; their reader is shared by one program per architecture.
find_library(LZMA_LIBRARY lzma REQUIRED)
file(GLOB dump_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/test_dumps_*.c)
foreach(source ${dump_tests})
  get_filename_component(name ${source} NAME_WE)
  target_sources(formats_${name} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/dump.c)
  target_link_libraries(formats_${name} PRIVATE ${LZMA_LIBRARY})
endforeach()
