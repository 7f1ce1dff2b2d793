#include "core/base/files.h"
#include "core/base/open_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <exception>
#include <vector>

#include "core/base/line_file.h"
#include "core/base/output_file.h"
#include "core/base/own_files.h"
#include "tests/oracles/temporary_folder.h"

namespace files_test {

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
        // A folder or a pipe in the place of the file, and nothing is left over.
        std::filesystem::create_directories(folder / "taken" / "inside");
        CHECK(message_of<Error>([&] { write_file_atomically(folder / "taken", "abc"); }) ==
              (folder / "taken").string() + ": cannot be created: Is a directory");
        REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
        CHECK(message_of<Error>([&] { write_file_atomically(folder / "pipe", "abc"); }) ==
              (folder / "pipe").string() + ": cannot be replaced: it is a pipe, a socket or a device, and a file is needed");
        std::filesystem::remove(folder / "pipe");
        // The user gave a wrong name, so this is no failure of the machine.
        CHECK(message_of<Error>([&] { write_file_atomically(folder / "no" / "such" / "file", "abc"); }) ==
              (folder / "no" / "such" / "file").string() + ": cannot be created: No such file or directory");
        std::filesystem::create_symlink("loop", folder / "loop");
        CHECK(message_of<Error>([&] { write_output_file(folder / "loop", "abc"); }) ==
              (folder / "loop").string() + ": cannot be created: Too many levels of symbolic links");
        std::filesystem::remove(folder / "loop");
        CHECK(names_in(folder.path()) == std::vector<std::string>{"taken"});
    }

    TEST_CASE("a process without descriptors left is the machine's failure") {
        const TemporaryFolder folder;
        // The sanitizer needs descriptors to look at an object of a kind that it has not seen yet.
        CHECK_FALSE(message_of<Error>([&] { write_file_atomically(folder / "no folder/file", "abc"); }).empty());
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

    TEST_CASE("links in the place of a file are replaced, and what they lead to stays") {
        const TemporaryFolder folder;
        namespace fs = std::filesystem;
        write_file_atomically(folder / "target", "old");
        fs::create_symlink("target", folder / "link");
        fs::create_symlink("missing", folder / "dangling");
        fs::create_hard_link(folder / "target", folder / "other name");
        for (const char* name : {"link", "dangling", "other name"}) {
            write_file_atomically(folder / name, "new");
            CHECK_MESSAGE(fs::is_regular_file(fs::symlink_status(folder / name)), name);
            CHECK(read_file(folder / name, 10) == "new");
        }
        CHECK(read_file(folder / "target", 10) == "old");
        CHECK(names_in(folder.path()).size() == 4);
    }

    TEST_CASE("a file that grows: a link and a second name are replaced by a copy, which goes on") {
        const TemporaryFolder folder;
        namespace fs = std::filesystem;
        for (const char* name : {"target", "twin", "plain"}) write_file_atomically(folder / name, "1\n");
        fs::create_symlink("target", folder / "link");
        fs::create_symlink("missing", folder / "dangling");
        fs::create_hard_link(folder / "twin", folder / "second");
        for (const char* name : {"link", "dangling", "second", "plain", "new"}) {
            LineFile lines(folder / name);
            lines.append("2\n");
            const bool empty = std::string(name) == "dangling" || std::string(name) == "new";
            CHECK_MESSAGE(read_file(folder / name, 10) == (empty ? "2\n" : "1\n2\n"), name);
            CHECK(fs::is_regular_file(fs::symlink_status(folder / name)));
        }
        for (const char* name : {"target", "twin"}) CHECK(read_file(folder / name, 10) == "1\n");
        CHECK(!fs::exists(folder / "missing"));
        { LineFile(folder / "plain", LineStart::empty).append("3\n"); }
        CHECK(read_file(folder / "plain", 10) == "3\n");
        REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
        CHECK(message_of<Error>([&] { LineFile{folder / "pipe"}; }).find("pipe: cannot be opened for writing: it is a pipe") !=
              std::string::npos);
        CHECK(message_of<Error>([&] { LineFile{folder.path()}; }).find("cannot be opened for writing: Is a directory") !=
              std::string::npos);
        {  // a second name that it gets while it is written, and a name that goes on without us
            LineFile backed_up(folder / "log");
            backed_up.append("1\n");
            fs::create_hard_link(folder / "log", folder / "log.backup");
            backed_up.append("2\n");
            CHECK(read_file(folder / "log", 10) == "1\n2\n");
            CHECK(read_file(folder / "log.backup", 10) == "1\n");
            fs::rename(folder / "log", folder / "log.old");
            CHECK(message_of<MachineError>([&] { backed_up.append("3\n"); }).find("was removed or replaced") !=
                  std::string::npos);
            CHECK(read_file(folder / "log.old", 10) == "1\n2\n");
        }
        LineFile gone(folder / "plain");
        fs::remove(folder / "plain");
        CHECK(message_of<MachineError>([&] { gone.append("4\n"); }).find("was removed or replaced while it was written") !=
              std::string::npos);
    }

    TEST_CASE("half-written files are known by their names, and those of ended processes alone are abandoned") {
        const TemporaryFolder folder;
        const auto a = partial_path(folder / "x.json"), b = partial_path(folder / "x.json");
        CHECK(a != b);
        CHECK(a.parent_path() == folder.path());
        CHECK(a.filename().string().starts_with(".x.json.attend-partial-" + std::to_string(::getpid()) + "-"));
        CHECK(abandoned_name(a.filename().string()).empty());  // ours, maybe in use
        const std::string own = ".x.json.attend-partial-" + std::to_string(::getpid());
        CHECK(abandoned_name(own + "-0") == "x.json");  // of an earlier process with our id
        CHECK(abandoned_name(".x.json.attend-partial-2147483647-5") == "x.json");
        CHECK(abandoned_name(".x.json.attend-partial-1-5").empty());
        for (const char* other :
             {"x.json.attend-partial-2147483647-5", ".x.json.partial-2147483647-5", ".attend-partial-2147483647-5",
              "..attend-partial-2147483647-", ".x.attend-partial-2147483647", ".x.attend-partial-0-1",
              ".x.attend-partial--2147483647-1", ".x.attend-partial-2147483647-1a", ""})
            CHECK_MESSAGE(abandoned_name(other).empty(), other);
    }

    TEST_CASE("where the user names a link it stays: what it points to is replaced, or made where it is missing") {
        const TemporaryFolder folder;
        namespace fs = std::filesystem;
        fs::create_directory(folder / "sub");
        write_file_atomically(folder / "sub/target", "old");
        fs::create_hard_link(folder / "sub/target", folder / "other name");
        fs::create_symlink("sub/target", folder / "link");
        fs::create_symlink(folder / "link", folder / "link to link");
        fs::create_symlink("sub/missing", folder / "dangling");
        write_output_file(folder / "link to link", "new");
        write_output_file(folder / "dangling", "made");
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
            write_output_file(path, "123456789");
            CHECK(read_back() == "123456789");
            CHECK(std::filesystem::is_fifo(pipe));
        }
        CHECK(names_in(folder.path()).size() == 2);
        ::close(reader);

        // As /dev/stdout after `> file`: a link to a descriptor, which writes on where it stands.
        const int file = ::open((folder / "output").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        REQUIRE(file >= 0);
        REQUIRE(::write(file, "a", 1) == 1);
        std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(file), folder / "standard output");
        write_output_file(folder / "standard output", "b");
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

}  // namespace files_test
