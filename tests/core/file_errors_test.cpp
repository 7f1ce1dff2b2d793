// What the system says of files, in the program's own form.
#include "core/base/file_errors.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <fstream>

#include "core/base/error.h"
#include "tests/oracles/temporary_folder.h"

namespace file_errors_test {

using namespace attend;
namespace fs = std::filesystem;

namespace {

template <class F>
std::string message(F&& f) {
    try {
        f();
    } catch (const std::exception& e) {
        return message_of(e);
    }
    return "";
}

}  // namespace

TEST_SUITE("file errors") {
    TEST_CASE("what std::filesystem throws is told with the path first") {
        CHECK(message([] { fs::create_directory("no/such/folder"); }) ==
              "no/such/folder: cannot create directory: No such file or directory");
        CHECK(message([] { fs::rename("no/such/a", "no/such/b"); }) ==
              "no/such/a: cannot rename: No such file or directory, other path no/such/b");
        CHECK(message([] { (void)fs::file_size("no/such"); }) == "no/such: cannot get file size: No such file or directory");
        const std::string long_name(300, 'a');
        CHECK(message([&] { (void)fs::exists(long_name); }) == long_name + ": cannot be looked at: File name too long");
        CHECK(message([] { throw Error("as it is"); }) == "as it is");
    }
    TEST_CASE("looking at what the system does not tell of is an error, and what is not there is not") {
        const oracles::TemporaryFolder folder;
        CHECK_FALSE(is_there(folder / "none"));
        CHECK_FALSE(is_folder(folder / "none/none"));
        CHECK(is_folder(folder.path()));
        CHECK_FALSE(is_regular(folder.path()));
        std::ofstream(folder / "file") << "x";
        CHECK(is_regular(folder / "file"));
        CHECK_FALSE(is_there(folder / "file/below"));
        fs::create_symlink("circle", folder / "circle");
        CHECK_THROWS_WITH_AS(
            is_there(folder / "circle"),
            ((folder / "circle").string() + ": cannot be looked at: Too many levels of symbolic links").c_str(), Error);
        CHECK_THROWS_AS(is_folder(std::string(300, 'a')), Error);
        CHECK_THROWS_WITH_AS(make_folders(folder / "file/below"),
                             ((folder / "file/below").string() + ": the folder cannot be made: Not a directory").c_str(),
                             Error);
        make_folders(folder / "a/b");
        make_folders(folder / "a/b");
        CHECK(is_folder(folder / "a/b"));
        CHECK_FALSE(is_there(folder / "a/c"));
        CHECK(absolute_path("x").is_absolute());
    }
    TEST_CASE("who can mend it") {
        for (const int code : {ENOENT, EACCES, ENAMETOOLONG, ELOOP, ENOTDIR}) CHECK(user_can_mend(code));
        for (const int code : {ENOSPC, EIO, EMFILE, ENOMEM}) CHECK_FALSE(user_can_mend(code));
    }
}

}  // namespace file_errors_test
