#include "core/files.h"
#include "core/open_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <exception>
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
        CHECK(OpenFile(path).size() == 0);
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
        CHECK(crc32_of_file(path, 1000).crc32 == first);
        CHECK(crc32_of_file(path, 1000).bytes == 1000);
        CHECK(crc32_of_file(path, 0).bytes == 0);
        CHECK(crc32_of({}, first) == first);
        CHECK(crc32_of_file(path, 1'200'000).crc32 == crc32_of(std::as_bytes(std::span(all).first(1'200'000))));
        const OpenFile opened(path);
        std::string middle(700'000, ' ');
        opened.read(1234, std::as_writable_bytes(std::span(middle)));
        CHECK((middle == all.substr(1234, middle.size())));
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
        // The user gave a wrong name, so this is no failure of the machine.
        CHECK(message_of<Error>([&] { write_file_atomically(folder / "no" / "such" / "file", "abc"); }) ==
              (folder / "no" / "such" / "file").string() + ": cannot be created: No such file or directory");
        std::filesystem::create_symlink("loop", folder / "loop");
        CHECK(message_of<Error>([&] { write_file_atomically(folder / "loop", "abc"); }) ==
              (folder / "loop").string() + ": cannot be created: Too many levels of symbolic links");
        std::filesystem::remove(folder / "loop");
        CHECK(names_in(folder.path()) == std::vector<std::string>{"taken"});
    }

    TEST_CASE("a process without descriptors left is the machine's failure") {
        const TemporaryFolder folder;
        rlimit before{};
        getrlimit(RLIMIT_NOFILE, &before);
        rlimit none = before;
        none.rlim_cur = 0;
        setrlimit(RLIMIT_NOFILE, &none);
        std::exception_ptr thrown;  // looked at when there are descriptors again: the sanitizer needs some to look at an object
        try {
            write_file_atomically(folder / "file", "abc");
        } catch (...) {
            thrown = std::current_exception();
        }
        setrlimit(RLIMIT_NOFILE, &before);
        REQUIRE(thrown != nullptr);
        CHECK(message_of<MachineError>([&] { std::rethrow_exception(thrown); }) ==
              (folder / "file").string() + ": cannot be created: Too many open files");
    }

    TEST_CASE("links stay: what they point to is replaced, or made where it is missing") {
        const TemporaryFolder folder;
        namespace fs = std::filesystem;
        fs::create_directory(folder / "sub");
        write_file_atomically(folder / "sub/target", "old");
        fs::create_hard_link(folder / "sub/target", folder / "other name");
        fs::create_symlink("sub/target", folder / "link");
        fs::create_symlink(folder / "link", folder / "link to link");
        fs::create_symlink("sub/missing", folder / "dangling");
        write_file_atomically(folder / "link to link", "new");
        write_file_atomically(folder / "dangling", "made");
        for (const char* name : {"link", "link to link", "dangling"})
            CHECK_MESSAGE(fs::is_symlink(fs::symlink_status(folder / name)), name);
        CHECK(read_file(folder / "sub/target", 10) == "new");
        CHECK(read_file(folder / "other name", 10) == "old");  // replaced and not overwritten
        CHECK(read_file(folder / "sub/missing", 10) == "made");
        CHECK(names_in(folder / "sub").size() == 2);
    }

    TEST_CASE("pipes are written into, by name, by link and by descriptor") {
        const TemporaryFolder folder;
        const auto pipe = folder / "pipe", link = folder / "link";
        REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
        std::filesystem::create_symlink("pipe", link);
        const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        REQUIRE(reader >= 0);
        const auto read_back = [&] {
            char text[16] = {};
            const ssize_t n = ::read(reader, text, sizeof text);
            return std::string(text, n > 0 ? static_cast<std::size_t>(n) : 0);
        };
        for (const auto& path : {pipe, link}) {
            const WrittenFile written = write_file_atomically(path, "123456789");
            CHECK(written.bytes == 9);
            CHECK(written.crc32 == 0xcbf43926u);
            CHECK(read_back() == "123456789");
            CHECK(std::filesystem::is_fifo(pipe));
        }
        CHECK(names_in(folder.path()).size() == 2);
        ::close(reader);

        // As /dev/stdout behind `> file`: a link to a descriptor, which writes on where it stands.
        const int file = ::open((folder / "output").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        REQUIRE(file >= 0);
        REQUIRE(::write(file, "a", 1) == 1);
        std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(file), folder / "standard output");
        write_file_atomically(folder / "standard output", "b");
        REQUIRE(::write(file, "c", 1) == 1);
        ::close(file);
        CHECK(read_file(folder / "output", 10) == "abc");
        CHECK(std::filesystem::is_symlink(std::filesystem::symlink_status(folder / "standard output")));
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
                  read_file("/dev/zero", 100'000, Pipes::read);
              }).find("/dev/zero: file is too large: size at least ") == 0);
        CHECK(message_of<Error>([&] { read_file("/dev/zero", 10); }) ==
              "/dev/zero: cannot be read: it is a pipe or a device, and a file is needed");
        CHECK(message_of<Error>([&] { crc32_of_file(missing); }) ==
              missing.string() + ": cannot be read: No such file or directory");
        CHECK(message_of<Error>([&] { OpenFile{missing}; }) ==
              missing.string() + ": cannot be read: No such file or directory");
        CHECK(message_of<Error>([&] { OpenFile{folder.path()}; }) ==
              name + ": cannot be read: it is a folder, and a file is needed");
        REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
        CHECK(message_of<Error>([&] { OpenFile{pipe}; }) ==
              pipe.string() + ": cannot be read: it is a pipe or a device, and a file is needed");
        if (geteuid() != 0) {
            chmod(large.c_str(), 0);
            CHECK(message_of<Error>([&] { read_file(large, 10); }) == large.string() + ": cannot be read: Permission denied");
        }
    }

    TEST_CASE("an open file can be handed on, and says so when it was shortened") {
        const TemporaryFolder folder;
        write_file_atomically(folder / "a", "aaa");
        write_file_atomically(folder / "b", "bb");
        OpenFile a(folder / "a");
        {
            OpenFile b(folder / "b");
            a = std::move(b);
        }
        CHECK(a.size() == 2);
        const OpenFile c(std::move(a));
        CHECK(c.size() == 2);
        std::array<std::byte, 1> byte;
        c.read(1, byte);
        CHECK(static_cast<char>(byte[0]) == 'b');
        std::filesystem::resize_file(folder / "b", 1);
        CHECK(message_of<MachineError>([&] { c.read(1, byte); }) ==
              (folder / "b").string() +
                  ": the file was shortened while it was in use: size 1 bytes, when it was opened 2 bytes");
    }
}
