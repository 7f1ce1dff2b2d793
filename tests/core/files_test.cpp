#include "core/files.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "tests/oracles/temporary_folder.h"

using namespace attend;
using oracles::TemporaryFolder;

namespace {
std::vector<std::string> names_in(const std::filesystem::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
    return names;
}
template <class Wanted, class F>
std::string message_of(F f) {
    try {
        f();
    } catch (const Wanted& e) {
        return e.what();
    }
    return "nothing was thrown";
}
// Files may have at most this many bytes while it lives: the nearest thing to a full disk.
class SizeLimit {
  public:
    explicit SizeLimit(rlim_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        rlimit now = before_;
        now.rlim_cur = bytes;
        setrlimit(RLIMIT_FSIZE, &now);
    }
    ~SizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        signal(SIGXFSZ, handler_);
    }

  private:
    rlimit before_{};
    void (*handler_)(int);
};
}  // namespace

TEST_SUITE("files") {
    TEST_CASE("what is written is read, with its size and checksum") {
        const TemporaryFolder folder;
        const auto path = folder / "a.txt";
        const WrittenFile written = write_file_atomically(path, "123456789");
        CHECK(written.bytes == 9);
        CHECK(written.crc32 == 0xcbf43926u);  // the check value of CRC-32
        CHECK(read_file(path, 9) == "123456789");
        const WrittenFile found = crc32_of_file(path);
        CHECK(found.bytes == 9);
        CHECK(found.crc32 == 0xcbf43926u);
        CHECK(names_in(folder.path()) == std::vector<std::string>{"a.txt"});
        write_file_atomically(path, "");
        CHECK(read_file(path, 0).empty());
        CHECK(crc32_of_file(path).crc32 == 0);
        CHECK(MappedFile(path).size() == 0);
    }

    TEST_CASE("large contents in pieces of all sizes") {
        const TemporaryFolder folder;
        const auto path = folder / "large";
        std::string all;
        const WrittenFile written = write_file_atomically(path, [&](FileWriter& writer) {
            for (std::size_t n = 1; all.size() < 1'500'000; n = n * 3 % 300'007) {
                const std::string piece(n, static_cast<char>('a' + n % 26));
                writer.write(piece);
                all += piece;
            }
        });
        CHECK(written.bytes == all.size());
        CHECK((read_file(path, all.size()) == all));
        CHECK(written.crc32 == crc32_of(std::as_bytes(std::span(all))));
        CHECK(crc32_of_file(path).crc32 == written.crc32);
        const uint32_t first = crc32_of(std::as_bytes(std::span(all).first(1000)));
        CHECK(crc32_of(std::as_bytes(std::span(all).subspan(1000)), first) == written.crc32);
        const MappedFile mapped(path);
        CHECK((std::string_view(reinterpret_cast<const char*>(mapped.bytes().data()), mapped.size()) == all));
    }

    TEST_CASE("a failure leaves the old file and nothing else") {
        const TemporaryFolder folder;
        const auto path = folder / "state.json";
        write_file_atomically(path, "old");
        CHECK(message_of<Error>([&] {
                  write_file_atomically(path, [](FileWriter& writer) {
                      writer.write("new");
                      fail("no more of it");
                  });
              }) == "no more of it");
        const std::string text = message_of<MachineError>([&] {
            const SizeLimit full(300'000);
            write_file_atomically(path, std::string(1'000'000, 'x'));
        });
        CHECK(text == path.string() + ": writing failed: written 300000 bytes, next 224288 bytes; File too large");
        CHECK(read_file(path, 10) == "old");
        CHECK(names_in(folder.path()) == std::vector<std::string>{"state.json"});
    }

    TEST_CASE("a place that cannot be written is named") {
        const TemporaryFolder folder;
        // A folder in the place of the file: the rename fails, and nothing is left behind.
        std::filesystem::create_directories(folder / "taken" / "inside");
        CHECK(message_of<MachineError>([&] { write_file_atomically(folder / "taken", "abc"); }) ==
              (folder / "taken").string() + ": cannot be replaced: bytes 3; Is a directory");
        CHECK(message_of<MachineError>([&] { write_file_atomically(folder / "no" / "such" / "file", "abc"); }) ==
              (folder / "no" / "such" / "file").string() + ": cannot be created: No such file or directory");
        CHECK(names_in(folder.path()) == std::vector<std::string>{"taken"});
    }

    TEST_CASE("a new file has the usual permissions, and a name of its own while it is written") {
        const TemporaryFolder folder;
        const mode_t mask = umask(0);
        umask(mask);
        const auto path = folder / "file";
        write_file_atomically(path, [&](FileWriter& writer) {
            writer.write("1");
            CHECK_FALSE(std::filesystem::exists(path));
            write_file_atomically(path, "inner");  // two at a time
        });
        CHECK(read_file(path, 10) == "1");
        struct stat status {};
        REQUIRE(stat(path.c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == (0666 & ~mask));
    }

    TEST_CASE("what cannot be read says why") {
        const TemporaryFolder folder;
        const auto missing = folder / "missing", large = folder / "large", pipe = folder / "pipe";
        const std::string name = folder.path().string();
        write_file_atomically(large, "0123456789");
        CHECK(message_of<Error>([&] { read_file(missing, 10); }) ==
              missing.string() + ": cannot be read: No such file or directory");
        CHECK(message_of<Error>([&] { read_file(folder.path(), 10); }) ==
              name + ": cannot be read: it is a folder, and a file is needed");
        CHECK(message_of<Error>([&] { read_file(large, 9); }) ==
              large.string() + ": file is too large: size 10 bytes, limit 9 bytes");
        CHECK(message_of<Error>([&] {
                  read_file("/dev/zero", 100'000);
              }).find("/dev/zero: file is too large: size at least ") == 0);
        CHECK(message_of<Error>([&] { crc32_of_file(missing); }) ==
              missing.string() + ": cannot be read: No such file or directory");
        CHECK(message_of<Error>([&] { MappedFile{missing}; }) ==
              missing.string() + ": cannot be read: No such file or directory");
        CHECK(message_of<Error>([&] { MappedFile{folder.path()}; }) ==
              name + ": cannot be read: it is a folder, and a file is needed");
        REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
        CHECK(message_of<Error>([&] { MappedFile{pipe}; }) ==
              pipe.string() + ": cannot be mapped: it is a pipe or a device, and a file is needed");
        if (geteuid() != 0) {
            chmod(large.c_str(), 0);
            CHECK(message_of<Error>([&] { read_file(large, 10); }) == large.string() + ": cannot be read: Permission denied");
        }
    }

    TEST_CASE("a mapping can be handed on") {
        const TemporaryFolder folder;
        write_file_atomically(folder / "a", "aaa");
        write_file_atomically(folder / "b", "bb");
        MappedFile a(folder / "a");
        {
            MappedFile b(folder / "b");
            a = std::move(b);
        }
        CHECK(a.size() == 2);
        const MappedFile c(std::move(a));
        CHECK(c.size() == 2);
        CHECK(static_cast<char>(c.bytes()[1]) == 'b');
    }
}
