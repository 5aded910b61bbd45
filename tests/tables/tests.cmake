# The tests record every invalidation.
if(TARGET tables_test_property)
  target_link_options(tables_test_property PRIVATE -Wl,--wrap=cop_tlbi
    -Wl,--wrap=cop_entry_xchg -Wl,--wrap=cop_entries_break)
endif()
if(TARGET tables_test_marker)
  target_link_options(tables_test_marker PRIVATE -Wl,--wrap=cop_tlbi)
endif()
