# A few seconds of every fuzz target, whatever compiler builds the rest. `make fuzz` is the long form.
find_program(COPPICE_CLANG clang)
if(COPPICE_CLANG)
  add_test(NAME fuzz.inspect COMMAND ${PROJECT_SOURCE_DIR}/scripts/fuzz.sh compile ${CMAKE_CURRENT_BINARY_DIR}/fuzz)
  set_tests_properties(fuzz.inspect PROPERTIES LABELS repo COST -1 TIMEOUT 300 FIXTURES_SETUP fuzz_objects)
  foreach(target iomem fdt klog schedule inspect_elf inspect_frames inspect_kdump inspect_raw inspect_replies inspect_vmcoreinfo)
    add_test(NAME fuzz.${target} COMMAND ${PROJECT_SOURCE_DIR}/scripts/fuzz.sh ${target} 5)
    set_tests_properties(fuzz.${target} PROPERTIES LABELS repo COST -2 TIMEOUT 120)
    if(target MATCHES inspect)
      set_tests_properties(fuzz.${target} PROPERTIES FIXTURES_REQUIRED fuzz_objects
        ENVIRONMENT FUZZ_OBJECTS=${CMAKE_CURRENT_BINARY_DIR}/fuzz)
    endif()
  endforeach()
endif()
