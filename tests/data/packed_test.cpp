// What a file is, told by its first bytes: packed files, wide characters, byte order marks, pipes;
// and long work that is stopped.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/files.h"
#include "core/base/interruption.h"
#include "core/base/random.h"
#include "data/tasks/classification.h"
#include "data/tasks/parallel.h"
#include "data/tasks/text.h"
#include "data/text/bpe_tokenizer.h"
#include "data/text/corpus.h"
#include "data/text/lines.h"
#include "data/text/matching.h"
#include "data/text/text_form.h"
#include "tests/data/test_files.h"

namespace packed_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;

template <class F>
std::string message(F&& f) {
    try {
        f();
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

Strings lines_of(const std::string& file) {
    const Texts lines = read_lines(file);
    Strings all;
    for (int64_t i = 0; i < lines.size(); ++i) all.emplace_back(lines.text(i));
    return all;
}

std::string text_of(const Corpus& corpus) {
    std::string all;
    corpus.pieces(0, corpus.bytes(), [&](std::string_view piece, const Place&) { all += piece; });
    return all;
}

// UTF-16 or UTF-32 of ASCII characters.
std::string wide(std::string_view text, std::size_t bytes, bool little) {
    std::string all;
    for (const char c : text) {
        std::string one(bytes, '\0');
        one[little ? 0 : bytes - 1] = c;
        all += one;
    }
    return all;
}

// Text that does not pack to nothing.
std::string noise(int lines) {
    Stream stream(1, "noise");
    std::string text;
    for (int i = 0; i < lines; ++i) {
        for (int k = 0; k < 30; ++k) text += static_cast<char>('a' + stream.below(26));
        text += '\n';
    }
    return text;
}

struct Form {
    const char *filter, *ending;
};
constexpr Form forms[] = {{"gzip", ".gz"}, {"xz", ".xz"}, {"zstd", ".zst"}, {"bzip2", ".bz2"}};

}  // namespace

TEST_SUITE("packed files") {
    TEST_CASE("xz, zstd and bzip2 are read as gzip is, whatever their names") {
        const TestFiles folder;
        const std::string text = noise(20'000);
        for (const Form& form : forms) {
            CAPTURE(form.filter);
            for (const std::string& name : {std::string("named") + form.ending, std::string("any name")}) {
                const std::string file = folder.write_packed(name, form.filter, text);
                CHECK(std::filesystem::file_size(file) < text.size());
                const Texts lines = read_lines(file);
                CHECK(lines.size() == 20'000);
                CHECK(lines.total() == 20'000 * 30);
                CHECK((text_of(Corpus({file}, "path", "")) == text));
            }
            CHECK(lines_of(folder.write_packed("short", form.filter, "a")) == Strings{"a"});
            const std::string empty = folder.write_packed("empty", form.filter, "");
            CHECK(message([&] { read_lines(empty); }) == empty + ": file is empty: lines 0, needed at least 1");
            // Two after each other are one.
            folder.write_packed("one", form.filter, "one\ntw");
            folder.write_packed("two", form.filter, "o\nthree\n");
            CHECK(lines_of(folder.write("both", folder.read("one") + folder.read("two"))) == Strings{"one", "two", "three"});
        }
    }
    TEST_CASE("packed files that are broken, cut off, or followed by something else") {
        const TestFiles folder;
        const std::string text = noise(5'000);
        for (const Form& form : forms) {
            CAPTURE(form.filter);
            folder.write_packed("whole", form.filter, text);
            const std::string whole = folder.read("whole");
            const auto said = [&](std::string_view bytes) {
                const std::string file = folder.write("x", bytes);
                const std::string why = message([&] { read_lines(file); });
                CHECK((why == "no error" || why.starts_with(file + ": ")));
                return why;
            };
            CHECK(said(whole) == "no error");
            for (const std::size_t size : {whole.size() - 1, whole.size() - 5, whole.size() / 2, std::size_t{12}}) {
                CAPTURE(size);
                CHECK(said(whole.substr(0, size)) != "no error");
            }
            std::string flipped = whole;
            flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 0x10);
            if (std::string_view(form.filter) != "zstd")  // libarchive writes it without its checksum
                CHECK(said(flipped) != "no error");
            CHECK(said(whole + "something else") != "no error");
        }
        for (const Form& form : forms) {
            const std::string plain = folder.write(std::string("plain") + form.ending, "one\n");
            CHECK(message([&] { read_lines(plain); }) ==
                  fmt::format("{}: name ends in {} but the content is not {}: first bytes 6f 6e 65 0a", plain, form.ending,
                              form.filter));
        }
    }
    TEST_CASE("what is plainly no text of bytes is refused by name") {
        const TestFiles folder;
        const auto said = [&](std::string_view bytes) {
            const std::string file = folder.write("x", bytes);
            const std::string as_lines = message([&] { read_lines(file); }),
                              as_text = message([&] { Corpus({file}, "path", ""); });
            CHECK(as_lines == as_text);
            return as_lines == "no error" ? as_lines : as_lines.substr(file.size() + 2);
        };
        const std::string text = "Some lines of text,\nas they are.\n";
        const std::string refused = "text of wide characters is not read: ", marked = "its byte order mark of ";
        CHECK(said("\xFF\xFE" + wide(text, 2, true)) ==
              refused + marked + "2 bytes is that of UTF-16LE, needed UTF-8; convert it: iconv -f UTF-16LE -t UTF-8 OLD > NEW");
        CHECK(said("\xFE\xFF" + wide(text, 2, false)).starts_with(refused + marked + "2 bytes is that of UTF-16BE"));
        CHECK(said(std::string("\xFF\xFE\0\0", 4) + wide(text, 4, true))
                  .starts_with(refused + marked + "4 bytes is that of UTF-32LE"));
        CHECK(said(std::string("\0\0\xFE\xFF", 4) + wide(text, 4, false))
                  .starts_with(refused + marked + "4 bytes is that of UTF-32BE"));
        CHECK(said(wide(text, 2, true)) ==
              refused +
                  "33 of its first 66 bytes are NUL, placed as in UTF-16LE, needed UTF-8; convert it: "
                  "iconv -f UTF-16LE -t UTF-8 OLD > NEW");
        CHECK(said(wide(text, 2, false)).find("placed as in UTF-16BE") != std::string::npos);
        CHECK(said(wide(text, 4, true)).find("placed as in UTF-32LE") != std::string::npos);
        CHECK(said(wide(text, 4, false)).find("placed as in UTF-32BE") != std::string::npos);
        CHECK(said("PK\x03\x04 and so on") ==
              "not a text: its first bytes are those of zip; a file packed once by gzip, xz, zstd or bzip2 is read, all else "
              "has to "
              "be unpacked first");
        folder.write_packed("l", "lz4", text);
        CHECK(said(folder.read("l")).starts_with("not a text: its first bytes are those of lz4"));
        folder.write_packed("g", "gzip", text);
        folder.write_packed("gg", "gzip", folder.read("g"));
        CHECK(said(folder.read("gg")).starts_with("not a text: its first bytes are those of gzip; a file packed once by"));
        std::string tar(1024, '\0');
        tar.replace(0, 4, "name").replace(257, 5, "ustar");
        CHECK(said(tar).starts_with("not a text: its first bytes are those of tar"));
        folder.write_packed("wide.xz", "xz", wide(text, 2, true));
        CHECK(said(folder.read("wide.xz")).find("placed as in UTF-16LE") != std::string::npos);
        // Bytes that look like none of these are text: any, as symbols of bytes have them.
        for (const std::string& fine : {text, std::string("BZh9 is a word"), std::string("a\0b\0\0c", 6), std::string(64, '\0'),
                                        std::string("\0\1\2\3\4\5\6\7", 8), std::string("\x1f\x8c"), std::string("PK")})
            CHECK(said(fine) == "no error");
    }
    TEST_CASE("a byte order mark at the beginning of a file is no text, in any file of a list") {
        const TestFiles folder;
        const std::string mark = "\xEF\xBB\xBF";
        TextOptions options;
        options.train = {folder.write("a", mark + "abc\n"), folder.write_gzip("b.gz", mark + "cba\n" + mark + "x\n")};
        options.valid = {folder.write_packed("c", "xz", mark + "abcabc\n")};
        const auto task = text_task(options, {.context = 4});
        CHECK(task->target_vocabulary_size() == 6);  // a, b, c, x, line feed; and the mark that stands inside
        CHECK(text_of(Corpus(options.train, "path", "")) == "abc\ncba\n" + mark + "x\n");
        const Corpus corpus(options.train, "path", "");
        CHECK(corpus.bytes() == 13);
        CHECK(corpus.cut(0.9) == 1);
        ParallelOptions pairs;
        pairs.train = {folder.write("s", mark + "a b\na\n"), folder.write("t", mark + "a b\na\n")};
        const auto both = parallel_task(pairs, {});
        CHECK(both->source_text(Split::train, 0) == "a b");
        CHECK(both->source_vocabulary_size() == both->target_vocabulary_size());
        CHECK(text_begin(mark, "x") == 3);
        CHECK(text_begin("", "x") == 0);
    }
    TEST_CASE("a pipe is refused, whoever names it, and nobody waits for its writer") {
        const TestFiles folder;
        const std::string pipe = folder.path("pipe"), link = folder.path("link");
        REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
        std::filesystem::create_symlink(pipe, link);
        const std::string why =
            ": a file is needed: this is a pipe or a device; data are read more than once, and again by --resume: write them "
            "to a "
            "file first";
        for (const std::string& name : {pipe, link}) {
            CHECK(message([&] { read_lines(name); }) == name + why);
            CHECK(message([&] { Corpus({name}, "path", ""); }) == name + why);
            CHECK(message([&] { crc32_of_file(name); }) ==
                  name + ": cannot be read: it is a pipe or a device, and a file is needed");
            CHECK(message([&] { read_file(name, 10); }) ==
                  name + ": cannot be read: it is a pipe or a device, and a file is needed");
        }
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        const std::string open = fmt::format("/dev/fd/{}", ends[0]);  // as a shell's <(...) names it
        CHECK(message([&] { read_lines(open); }) == open + why);
        ::close(ends[0]);
        ::close(ends[1]);
        CHECK(message([] { read_lines("/dev/zero"); }) == "/dev/zero" + why);
    }
    TEST_CASE("a small packed file of nothing but line ends is refused in time") {
        const TestFiles folder;
        const std::string bomb = folder.write_gzip("bomb.gz", std::string(3'000'000, '\n'));
        CHECK(std::filesystem::file_size(bomb) < 10'000);
        CHECK(message([&] { read_lines(bomb, {.lines = 1000}); }) == bomb + ": too many lines: more than 1000, allowed 1000");
        CHECK(message([&] { read_lines(folder.write("a", "\n\n"), {.lines = 2}); }) == "no error");
        CHECK(message([&] { read_lines(folder.write("a", "\n\nx"), {.lines = 2}); }) ==
              folder.path("a") + ": too many lines: more than 2, allowed 2");
    }
    TEST_CASE("patterns with many stars end") {
        const TestFiles folder;
        std::string deep = folder.path();
        for (int i = 0; i < 14; ++i) {
            deep += "/d";
            std::filesystem::create_directories(deep + "/e");
            std::ofstream(deep + "/x.txt") << "x";
        }
        std::string pattern = folder.path();
        for (int i = 0; i < 14; ++i) pattern += "/**";
        CHECK(matching_files(pattern + "/x.txt").size() == 14);
        CHECK(matching_files(pattern + "/none").empty());
        CHECK(matching_files(folder.path() + "/**/d/**/d/**/x.txt").size() == 13);
        CHECK(matching_files(folder.path("**/**/x.txt")) == matching_files(folder.path("**/x.txt")));
        std::string stars;
        for (int i = 0; i < 30; ++i) stars += "*a";
        folder.write(std::string(200, 'a'), "");
        CHECK(matching_files(folder.path(stars + "b")).empty());
    }
    TEST_CASE("what is long can be interrupted, and leaves nothing") {
        const TestFiles folder;
        folder.write("text", noise(6'000));
        folder.write("pairs", "a\tb\n");
        std::filesystem::create_directories(folder.path("deep/er"));
        const auto interrupted = [](int after, auto work) {
            int asked = 0;
            return interruptibly([&] { return asked++ >= after; }, work) == Ended::interrupted;
        };
        CHECK_FALSE(interrupted(1'000'000, [&] { read_lines(folder.path("text")); }));
        CHECK(interrupted(1, [&] { read_lines(folder.path("text")); }));
        CHECK(interrupted(1, [&] { Corpus({folder.path("text")}, "path", ""); }));
        CHECK(interrupted(1, [&] { crc32_of_file(folder.path("text")); }));
        CHECK(interrupted(1, [&] { matching_files(folder.path("**/none")); }));
        TextOptions options;
        options.path = {folder.path("text")};
        options.cache = folder.path("cache");
        options.tokenizer.choose("bpe");
        int asked = 0;  // in all
        CHECK_FALSE(interrupted(
            1 << 30, [&] { interruptibly([&] { return ++asked < 0; }, [&] { text_task(options, {.context = 8}); }); }));
        CHECK(asked > 100);
        std::filesystem::remove_all(options.cache);
        for (int after = 0; after < asked; after += 1 + asked / 20) {
            CHECK(interrupted(after, [&] { text_task(options, {.context = 8}); }));
            if (std::filesystem::exists(options.cache))
                for (const auto& entry : std::filesystem::directory_iterator(options.cache))
                    CHECK(entry.path().extension() == ".ids");  // whole ones, of parts that were ready
        }
        Selection generated(task_table(), "copy");
        CHECK(interrupted(3, [&] { task_table().build(generated, TaskSetup{}); }));
        int before = 0;
        const auto never = [&] { return ++before < 0; };
        interruptibly(never, [&] {
            CHECK(interrupted(0, [] { interruption_point(); }));
            interruption_point();  // the outer one again
        });
        CHECK(before == 1);
    }
}

}  // namespace packed_test
