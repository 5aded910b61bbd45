# A few seconds of every fuzz target, whatever compiler builds the rest. `make fuzz` is the long form.
find_program(COPPICE_CLANG clang)
if(COPPICE_CLANG)
  foreach(target iomem fdt klog schedule inspect_elf inspect_frames inspect_kdump inspect_raw inspect_replies inspect_vmcoreinfo)
    add_test(NAME fuzz.${target} COMMAND ${PROJECT_SOURCE_DIR}/scripts/fuzz.sh ${target} 5)
    set_tests_properties(fuzz.${target} PROPERTIES LABELS repo COST -2 TIMEOUT 120)
  endforeach()
endif()
