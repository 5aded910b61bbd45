# The tests record every invalidation.
if(TARGET tables_test_property)
  target_link_options(tables_test_property PRIVATE -Wl,--wrap=cop_tlbi)
endif()
