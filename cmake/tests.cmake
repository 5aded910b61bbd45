# tests/<room>/test_<what>.c: one cmocka program each, linked with the library over the host port; tests/cli with the tool's
# sources too. Names with "thread", "parallel", "concurrent", "stress" or "host" get the label threads: those run under TSan in the CI.
if(CMOCKA_FOUND)
  file(GLOB COPPICE_TESTS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*/test_*.c)
  list(FILTER COPPICE_TESTS EXCLUDE REGEX "/tests/checker/") # on the simulated machine: see its tests.cmake
  foreach(source ${COPPICE_TESTS})
    get_filename_component(name ${source} NAME_WE)
    get_filename_component(room ${source} DIRECTORY)
    get_filename_component(room ${room} NAME)
    set(target ${room}_${name})
    string(REPLACE "_test_" "." test ${target})
    add_executable(${target} ${source})
    target_link_libraries(${target} PRIVATE coppice_options PkgConfig::CMOCKA)
    # Every cmocka test takes a state that few look at.
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -Wno-unused-parameter)
    if(room STREQUAL cli OR room STREQUAL bench)
      target_link_libraries(${target} PRIVATE coppice_cli)
    elseif(room STREQUAL inspect)
      target_link_libraries(${target} PRIVATE coppice_inspect)
    else()
      target_link_libraries(${target} PRIVATE coppice)
    endif()
    target_compile_definitions(${target} PRIVATE COP_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data"
      COP_TEST_MAPS="${PROJECT_SOURCE_DIR}/maps")
    add_test(NAME ${test} COMMAND ${target})
    set_tests_properties(${test} PROPERTIES TIMEOUT 600)
    if(name MATCHES "thread|parallel|concurrent|stress|host")
      # A negative cost runs last: what is quick fails first.
      set_tests_properties(${test} PROPERTIES LABELS threads COST -1)
    endif()
  endforeach()
  # A room may add what does not fit the pattern.
  file(GLOB extra CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*/tests.cmake)
  foreach(file ${extra})
    include(${file})
  endforeach()
endif()
