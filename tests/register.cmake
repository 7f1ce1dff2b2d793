# Registers every test case of every test executable with ctest, labelled with its suite (`./dev test SUITE`). Labels cost a
# start of the executable for each case, so sanitizer builds, which select their tests by file, go without.
include(/usr/lib/cmake/doctest/doctest.cmake OPTIONAL RESULT_VARIABLE doctest_script)
if(NOT doctest_script)
    find_package(doctest REQUIRED)
    include(${doctest_DIR}/doctest.cmake)
endif()
set(labels ON)
if(ATTEND_SANITIZE)
    set(labels OFF)
endif()
foreach(folder core nn optim data train)
    foreach(suffix "" 64)
        if(TARGET test_${folder}${suffix})
            # doctest passes when its filter matches no case; a test that ran nothing has failed.
            doctest_discover_tests(test_${folder}${suffix} TEST_PREFIX "${folder}${suffix}: " ADD_LABELS ${labels}
                PROPERTIES TIMEOUT 600 FAIL_REGULAR_EXPRESSION "test cases: +0 ")
        endif()
    endforeach()
endforeach()
