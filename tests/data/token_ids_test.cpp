#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "data/tasks/masked_text.h"
#include "data/tasks/text.h"
#include "data/text/token_ids.h"
#include "data/text/wordpiece.h"
#include "tests/data/test_files.h"

namespace token_ids_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;
using Ids32 = std::vector<int32_t>;

Ids32 all_of(const TokenIds& ids) {
    Ids32 all(static_cast<std::size_t>(ids.size()));
    ids.copy(0, ids.size(), all.data());
    return all;
}

// Ids 0, 7, 14, ... modulo the vocabulary, in pieces; counts how often it was asked.
struct Produced {
    int64_t vocabulary;
    int times = 0;
    TokenIds cached(const std::string& folder, const std::string& key) {
        return TokenIds::cached(folder, key, vocabulary, 21, [&](auto take) {
            ++times;
            for (int piece = 0; piece < 3; ++piece) {
                Ids32 ids;
                for (int i = 0; i < 1000; ++i) ids.push_back(static_cast<int32_t>((piece * 1000 + i) * 7 % vocabulary));
                take(ids);
            }
        });
    }
};

int64_t files_in(const std::string& folder) {
    int64_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
    return count;
}

}  // namespace

TEST_SUITE("token ids") {
    TEST_CASE("two bytes or four, in memory or in a file") {
        const TestFiles folder;
        for (int64_t vocabulary : {int64_t{5}, int64_t{1} << 16, (int64_t{1} << 16) + 1, int64_t{1} << 30}) {
            const Ids32 some = {0, 3, static_cast<int32_t>(vocabulary - 1), 1};
            TokenIds ids(vocabulary);
            ids.add(some);
            ids.add(Ids32{2});
            CHECK(ids.size() == 5);
            CHECK(all_of(ids) == Ids32{0, 3, static_cast<int32_t>(vocabulary - 1), 1, 2});
            CHECK(ids.file().empty());
            const TokenIds mapped = TokenIds::cached(folder.path("new/folder"), std::to_string(vocabulary), vocabulary, 1,
                                                     [&](auto take) { take(some); });
            CHECK(all_of(mapped) == some);
            CHECK(std::filesystem::file_size(mapped.file()) == (vocabulary <= 65536 ? 8 : 16) + 512);
            Ids32 part(2);
            mapped.copy(2, 2, part.data());
            CHECK(part == Ids32{static_cast<int32_t>(vocabulary - 1), 1});
            CHECK_THROWS_WITH_AS(mapped.copy(3, 2, part.data()), "token ids: out of range: ids [3, 5), there are 4", Error);
            CHECK_THROWS_AS(mapped.copy(-1, 1, part.data()), Error);
            TokenIds full = mapped;
            CHECK_THROWS_AS(full.add(some), MachineError);
        }
    }
    TEST_CASE("a file of ids is made once, and again when it is not what was written") {
        const TestFiles folder;
        Produced ids{1000};
        const Ids32 right = all_of(ids.cached(folder.path("c"), "one"));
        CHECK(right.size() == 3000);
        CHECK(right[2999] == 2999 * 7 % 1000);
        CHECK(all_of(ids.cached(folder.path("c"), "one")) == right);
        CHECK(ids.times == 1);
        const std::filesystem::path file = ids.cached(folder.path("c"), "one").file();
        ids.cached(folder.path("c"), "two");
        CHECK(ids.times == 2);
        CHECK(files_in(folder.path("c")) == 2);
        std::ifstream in(file, std::ios::binary);
        const std::string good{std::istreambuf_iterator<char>(in), {}};
        CHECK(good.substr(6000, 50).starts_with("attend ids 2: 2 3000 3 "));
        std::string flipped = good;
        flipped[1234] ^= 4;
        CHECK(ids.cached(folder.path("c"), "one").unknown() == 3);
        std::string more_unknown = good;
        more_unknown[more_unknown.find(" 3 ") + 1] = 'x';
        std::string renamed = good;
        renamed[renamed.find("one")] = 'O';
        for (const std::string& bad :
             {flipped, renamed, more_unknown, good.substr(0, 6000), good.substr(2), good + "x", std::string()}) {
            std::ofstream(file, std::ios::binary) << bad;
            const int before = ids.times;
            CHECK(all_of(ids.cached(folder.path("c"), "one")) == right);
            CHECK(ids.times == before + 1);
        }
        // Ids of another width are others.
        ids.vocabulary = 100'000;
        CHECK(all_of(ids.cached(folder.path("c"), "one"))[2999] == 2999 * 7);
        folder.write("file", "no folder");
        CHECK_THROWS_AS(ids.cached(folder.path("file"), "one"), Error);
        CHECK_THROWS_AS(ids.cached(folder.path("file/in"), "one"), Error);
    }
    TEST_CASE("a file of ids that is shortened while it is in use is said to be, and nobody dies") {
        const TestFiles folder;
        for (const int64_t vocabulary : {1000, 100'000}) {
            Produced made{vocabulary};
            const TokenIds ids = made.cached(folder.path("c"), "one");
            const Ids32 right = all_of(ids);
            std::filesystem::resize_file(ids.file(), 100);
            Ids32 some(10);
            ids.copy(5, 10, some.data());
            CHECK(some == Ids32(right.begin() + 5, right.begin() + 15));
            try {
                ids.copy(2990, 10, some.data());
                FAIL("no error");
            } catch (const MachineError& e) {
                CHECK(std::string(e.what()).starts_with(ids.file().string() +
                                                        ": the file was shortened while it was in use: size 100 bytes, "));
            }
            CHECK(all_of(made.cached(folder.path("c"), "one")) == right);  // made again
        }
    }
    TEST_CASE("how many tokens are unknown is known from a file of ids, too") {
        const TestFiles folder;
        TextOptions options;
        options.path = {folder.write("text", "a a a a a b c a\na a a a b\na a a a a a\n")};
        options.tokenizer.choose("word");
        options.min_count = 3;
        options.valid_fraction = 0;
        const auto in_memory = text_task(options, {.context = 4});
        CHECK(in_memory->describe()[0] == "train: 22 tokens of 38 bytes, 3 of them not in the vocabulary");
        options.cache = folder.path("cache");
        for (const char* how : {"made", "found again"}) {
            CAPTURE(how);
            CHECK(text_task(options, {.context = 4})->describe()[0] == in_memory->describe()[0]);
        }
    }
    TEST_CASE("running text from ids in files, told apart by text, cut, tokenizer and its options") {
        const TestFiles folder;
        TextOptions options;
        std::string text;
        for (int i = 0; i < 500; ++i) text += "Line " + std::to_string(i * i) + "\n";
        options.path = {folder.write("text", text)};
        options.tokenizer.choose("bpe");
        const auto in_memory = text_task(options, {.context = 9});
        options.cache = folder.path("cache");
        const auto batch = [](const Task& task, Split s) {
            return task.batches(s, {.batch = 7, .seed = 3, .shuffled = s == Split::train})->at(2);
        };
        for (int run = 0; run < 2; ++run) {
            const auto mapped = text_task(options, {.context = 9});
            for (Split s : {Split::train, Split::valid}) {
                CHECK(batch(*mapped, s).input.values == batch(*in_memory, s).input.values);
                CHECK(batch(*mapped, s).target.values == batch(*in_memory, s).target.values);
                CHECK(mapped->size(s) == in_memory->size(s));
            }
            CHECK(mapped->target_text(Split::valid, 3) == in_memory->target_text(Split::valid, 3));
            CHECK(mapped->describe()[1].starts_with("train: ids read from " + folder.path("cache/")));
            CHECK(files_in(folder.path("cache")) == 2);
        }
        const auto files_after = [&] {
            text_task(options, {.context = 9});
            return files_in(folder.path("cache"));
        };
        options.valid_fraction = 0.2;
        CHECK(files_after() == 4);
        options.tokenizer.choose("byte");
        CHECK(files_after() == 6);
        options.path = {folder.write("a", text.substr(0, 700)),
                        folder.write("b", text.substr(700))};  // the same text in two files
        CHECK(files_after() == 8);
        folder.write("b", text.substr(700, 3000) + "!");
        CHECK(files_after() == 10);
        options.tokenizer.choose("wordpiece");
        options.tokenizer.as<WordpieceOptions>().vocabulary = folder.write("v", "[UNK]\nline\nLine\n0\n1\n");
        CHECK(files_after() == 12);
        options.tokenizer.as<WordpieceOptions>().lowercase = false;
        CHECK(files_after() == 14);
        options.cache = "";
        text_task(options, {.context = 9, .cache = folder.path("of the run")});
        CHECK(files_in(folder.path("of the run")) == 2);
        CHECK(files_in(folder.path("cache")) == 14);
        constexpr int64_t bytes = 3701;  // of a and b
        text_task(options, {.context = 9, .cache = folder.path("of large texts"), .cached_above = bytes});
        CHECK(!std::filesystem::exists(folder.path("of large texts")));
        text_task(options, {.context = 9, .cache = folder.path("of large texts"), .cached_above = bytes - 1});
        CHECK(files_in(folder.path("of large texts")) == 2);
    }
    TEST_CASE(
        "a cache in a folder of somebody's leaves their files, follows no link, and clears away what killed processes left") {
        const TestFiles folder;
        TextOptions options;
        options.path = {folder.write("text", std::string(400, 'a') + "\n")};
        options.cache = folder.path("cache");
        const std::string own = "cache/tokenizer-" + std::to_string(::getpid());
        std::filesystem::create_directories(options.cache);
        for (const std::string& name : {own, std::string("cache/tokenizer"), std::string("cache/.x.ids.partial-1-1")})
            folder.write(name, "mine");
        // What was left today may be of a process on another machine.
        for (const char* left : {"cache/.x.ids.attend-partial-2147483647-1", "cache/.y.ids.attend-partial-2147483647-1"})
            folder.write(left, "half");
        std::filesystem::last_write_time(folder.path("cache/.x.ids.attend-partial-2147483647-1"),
                                         std::filesystem::file_time_type::clock::now() - std::chrono::hours(25));
        text_task(options, {.context = 9});
        CHECK(files_in(options.cache) == 6);  // three of theirs, the ids of two parts, what was left today
        std::ifstream in(folder.path(own));
        CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == "mine");

        Produced ids{1000};
        const std::filesystem::path file = ids.cached(folder.path("c"), "one").file();
        std::filesystem::remove(file);
        std::filesystem::create_symlink(folder.write("elsewhere", "mine"), file);
        CHECK(all_of(ids.cached(folder.path("c"), "one")).size() == 3000);
        CHECK(std::filesystem::is_regular_file(std::filesystem::symlink_status(file)));
        CHECK(std::filesystem::file_size(folder.path("elsewhere")) == 4);
    }
}

}  // namespace token_ids_test
