# Registers every test case of every test executable with ctest, as FOLDER[64]:NAME.
include(/usr/lib/cmake/doctest/doctest.cmake OPTIONAL RESULT_VARIABLE doctest_script)
if(NOT doctest_script)
    find_package(doctest REQUIRED)
    include(${doctest_DIR}/doctest.cmake)
endif()
foreach(folder core nn optim data train planted faults)
    foreach(suffix "" 64)
        if(TARGET test_${folder}${suffix})
            # doctest passes when its filter matches no case; a test that ran nothing has failed.
            doctest_discover_tests(test_${folder}${suffix} TEST_PREFIX "${folder}${suffix}:"
                PROPERTIES TIMEOUT 600 FAIL_REGULAR_EXPRESSION "test cases: +0 [|]")
        endif()
    endforeach()
endforeach()
