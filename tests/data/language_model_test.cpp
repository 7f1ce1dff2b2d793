#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "data/tasks/text.h"
#include "data/text/corpus.h"
#include "data/text/matching.h"
#include "data/windows.h"
#include "tests/data/test_files.h"

namespace language_model_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;

std::string message(const TextOptions& options, const TaskSetup& setup = {.context = 4}) {
    try {
        text_task(options, setup);
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

TokenIds counting_ids(int64_t count) {
    TokenIds ids(1000);
    for (int32_t i = 0; i < count; ++i) ids.add(std::vector<int32_t>{i});
    return ids;
}

std::string pieces_of(const Corpus& corpus, int64_t begin, int64_t end) {
    std::string all;
    corpus.pieces(begin, end, [&](std::string_view piece, const Place& place) {
        all += fmt::format("[{}:{}:{}]", std::filesystem::path(place.file).filename().string(), place.line, piece);
    });
    return all;
}

std::vector<int32_t> row_of(const Ids& ids, int64_t row) { return {ids.row(row), ids.row(row) + ids.columns}; }

}  // namespace

TEST_SUITE("language model data") {
    TEST_CASE("characters of a text: own ids by code point, cut, windows, texts") {
        const TestFiles folder;
        TextOptions options;
        options.path = {folder.write("text.txt", "ba\nab\u00e9ba\u00e9b")};  // 13 bytes
        options.valid_fraction = 0.4;  // floor(0.6 * 13) = 7, inside the first accented letter (6, 7), so from 8 on
        options.tokenizer.choose("char");
        const auto task = text_task(options, {.context = 2});
        CHECK(task->source_vocabulary_size() == 0);
        CHECK(task->target_vocabulary_size() == 4);
        CHECK(task->encode_prompt("\nab\u00e9", Place{}) == std::vector<int32_t>{0, 1, 2, 3});
        CHECK(task->decode_target(std::vector<int32_t>{3, 0}) == "\u00e9\n");
        CHECK(task->describe() == Strings{"train: 6 tokens of 7 bytes", "valid: 4 tokens of 5 bytes", "vocabulary: 4 ids",
                                          "train: 3 windows of 2", "valid: 2 windows of 2"});
        CHECK(task->size(Split::test) == 0);
        CHECK(task->target_text(Split::valid, 0) == "a\u00e9");
        CHECK(task->target_text(Split::valid, 1) == "b");
        CHECK(task->metrics() == Strings{"bits_per_byte", "accuracy"});
        CHECK(task->target_symbols(std::vector<int32_t>{1, 3}) == Strings{"a", "\u00e9"});
        CHECK(task->decode_limit(0) == 2);
        const Batch batch = task->batches(Split::valid, {.batch = 8})->at(0);
        CHECK(batch.source.rows == 0);
        CHECK(row_of(batch.input, 0) == std::vector<int32_t>{2, 1});
        CHECK(row_of(batch.target, 0) == std::vector<int32_t>{1, 3});
        CHECK(row_of(batch.target, 1) == std::vector<int32_t>{2, id_ignored});
        CHECK(batch.input.length(1) == 1);
        CHECK(batch.targets() == 3);
        CHECK_THROWS_WITH_AS(task->target_text(Split::valid, 2), "text: no such example: asked for 2 of valid, there are 2",
                             Error);
        CHECK_THROWS_WITH_AS(task->encode_prompt("ab\nbx", Place{}),
                             "line 2: a character is not in the vocabulary: 'x', U+0078", Error);
        CHECK_THROWS_AS(task->encode_sources(Strings{"a"}), Error);
    }
    TEST_CASE("what is saved builds the same ids, and a vocabulary of pairs does not") {
        const TestFiles folder;
        TextOptions options;
        options.path = {folder.write("text.txt", "the cat\nthe mat <unk>\n")};
        for (const char* name : {"char", "word"}) {
            options.tokenizer.choose(name);
            const auto task = text_task(options, {.context = 1});
            task->save(folder.path());
            const auto again = text_task({.tokenizer = options.tokenizer}, {.saved = folder.path(), .load_data = false});
            const auto ids = task->encode_prompt("the mat\n", Place{});
            CHECK(again->encode_prompt("the mat\n", Place{}) == ids);
            CHECK(again->decode_target(ids) == "the mat\n");
            CHECK(again->size(Split::train) == 0);
        }
        folder.write(tokenizer_file, "attend vocabulary 1: 1 symbols\na\n");
        CHECK(message(options, {.saved = folder.path(), .context = 1}) ==
              folder.path(tokenizer_file) +
                  ":1: not a vocabulary: first line 'attend vocabulary 1: 1 symbols', expected "
                  "'attend vocabulary 1: N symbols, own ids'");
    }
    TEST_CASE("words: a line feed is one, and so is what stands for unknown ones") {
        const TestFiles folder;
        TextOptions options;
        options.path = {folder.write("text.txt", "the cat \n the  mat")};
        options.valid_fraction = 0;
        options.tokenizer.choose("word");
        const auto task = text_task(options, {.context = 1});
        CHECK(task->target_vocabulary_size() == 5);  // the, line feed, cat, mat, <unk>
        CHECK(task->encode_prompt("the dog\n", Place{}) == std::vector<int32_t>{0, 4, 1});
        CHECK(task->decode_target(std::vector<int32_t>{0, 2, 1, 0, 3, 4}) == "the cat\nthe mat <unk>");
        CHECK(task->metrics() == Strings{"accuracy"});  // the bytes of the text are not known
        options.max_vocabulary = 1;
        CHECK(text_task(options, {.context = 1})->target_vocabulary_size() == 2);
    }
    TEST_CASE("parts in files of their own, packed, by pattern") {
        const TestFiles folder;
        std::filesystem::create_directories(folder.path("deep/er"));
        folder.write("a1.txt", "ab");
        folder.write_gzip("deep/a2.txt.gz", "cd");
        folder.write("deep/er/a3.txt", "ef");
        folder.write("deep/.a4.txt", "hidden");
        CHECK(matching_files(folder.path("**/a*.txt*")) ==
              Strings{folder.path("a1.txt"), folder.path("deep/a2.txt.gz"), folder.path("deep/er/a3.txt")});
        CHECK(matching_files(folder.path("*/a?.txt.gz")) == Strings{folder.path("deep/a2.txt.gz")});
        CHECK(matching_files(folder.path("a[2-9].txt")).empty());
        CHECK(matching_files("gone") == Strings{"gone"});
        folder.write("a[2-9].txt", "its own name");
        CHECK(matching_files(folder.path("a[2-9].txt")) == Strings{folder.path("a[2-9].txt")});
        TextOptions options;
        options.train = {folder.path("**/a?.txt*")};
        options.valid = options.test = {folder.path("a1.txt")};
        const auto task = text_task(options, {.context = 5});
        CHECK(task->target_text(Split::train, 0) == "bcdef");
        CHECK(task->target_text(Split::test, 0) == "b");
        CHECK(task->size(Split::valid) == 1);
    }
    TEST_CASE("a corpus in pieces: cut before a line feed, files for themselves, places") {
        const TestFiles folder;
        std::string long_line(std::size_t{1} << 20, 'x');
        const Corpus corpus({folder.write("a", "one\ntwo \nthree"), folder.write("b", long_line + "\ny\n\nz")}, "path", "");
        CHECK(corpus.bytes() == 14 + (1 << 20) + 5);
        CHECK(pieces_of(corpus, 0, 3) == "[a:1:one]");
        CHECK(pieces_of(corpus, 5, 13) == "[a:2:wo \nthre]");
        CHECK(pieces_of(corpus, 12, 16) == "[a:3:ee][b:1:xx]");
        CHECK(pieces_of(corpus, corpus.bytes() - 3, corpus.bytes()) == "[b:2:\n\nz]");
        const Corpus lines({folder.write("c", "q \n" + long_line + "\n\ny")}, "path", "");
        std::vector<std::size_t> sizes;
        lines.pieces(0, lines.bytes(), [&](std::string_view piece, const Place&) { sizes.push_back(piece.size()); });
        CHECK(sizes == std::vector<std::size_t>{long_line.size() + 6});  // the second block begins with the line feed's rest
        std::string many;
        for (int i = 0; i < 400'000; ++i) many += fmt::format("line {}\n", i);
        const Corpus large({folder.write_gzip("d.gz", many)}, "path", "");
        std::string joined;
        int64_t pieces = 0;
        large.pieces(0, large.bytes(), [&](std::string_view piece, const Place& place) {
            CHECK((pieces == 0 || piece.starts_with('\n')));
            CHECK(place.line == 1 + std::count(joined.begin(), joined.end(), '\n'));
            joined += piece;
            ++pieces;
        });
        CHECK(joined == many);
        CHECK(pieces > 3);
        CHECK(Corpus({folder.write("e", "a\xf0\x9f\x98\x80z")}, "path", "").cut(0.5) == 5);
        CHECK(Corpus({folder.write("f", "a\x80\x80"), folder.write("g", "\x80z")}, "path", "").cut(0.7) == 3);
    }
    TEST_CASE("evaluation predicts every token but the first once") {
        for (int64_t tokens : {0, 1, 2, 3, 5, 12, 13, 14})
            for (int64_t context : {1, 3, 4, 20}) {
                const TokenIds ids = counting_ids(tokens);
                const auto batches = windows(ids, context, WindowOrder::random, {.batch = 2});
                std::vector<int32_t> predicted;
                int64_t windows_seen = 0;
                for (int64_t k = 0; k < batches->per_epoch(); ++k) {
                    const Batch b = batches->at(k);
                    for (int64_t r = 0; r < b.rows(); ++r) {
                        CHECK(b.examples[static_cast<std::size_t>(r)] == windows_seen++);
                        for (int64_t t = 0; t < b.target.length(r); ++t) {
                            CHECK(b.target.at(r, t) == b.input.at(r, t) + 1);
                            predicted.push_back(b.target.at(r, t));
                        }
                    }
                }
                CHECK(windows_seen == count_windows(tokens - 1, context));
                std::vector<int32_t> all;
                for (int32_t i = 1; i < tokens; ++i) all.push_back(i);
                CHECK(predicted == all);
            }
    }
    TEST_CASE("sequential windows, anyone can reproduce them") {
        const TokenIds ids = counting_ids(15);  // W = floor(14 / 4) = 3: windows at 0, 4, 8
        const auto batches = windows(ids, 4, WindowOrder::sequential, {.batch = 2, .seed = 5, .shuffled = true});
        CHECK(batches->per_epoch() == 2);
        const int32_t expected[3][2] = {{0, 4}, {8, 0}, {4, 8}};
        for (int64_t k = 0; k < 9; ++k) {
            const Batch b = batches->at(k);
            for (int64_t r = 0; r < 2; ++r) {
                CHECK(b.input.at(r, 0) == expected[k % 3][r]);
                CHECK(b.target.at(r, 3) == expected[k % 3][r] + 4);
                CHECK(b.input.length(r) == 4);
            }
        }
    }
    TEST_CASE("random windows: every start, none too late, by seed, batch and row alone") {
        const TokenIds ids = counting_ids(10);
        const auto batches = windows(ids, 4, WindowOrder::random, {.batch = 3, .seed = 5, .shuffled = true});
        CHECK(batches->per_epoch() == 1);
        std::set<int32_t> starts;
        for (int64_t k = 0; k < 100; ++k) {
            const Batch b = batches->at(k);
            for (int64_t r = 0; r < 3; ++r) {
                starts.insert(b.input.at(r, 0));
                CHECK(b.target.at(r, 3) == b.input.at(r, 0) + 4);
                CHECK(b.examples[static_cast<std::size_t>(r)] == b.input.at(r, 0) / 4);
            }
        }
        CHECK(starts == std::set<int32_t>{0, 1, 2, 3, 4, 5});
        const auto again = windows(ids, 4, WindowOrder::random, {.batch = 3, .seed = 5, .shuffled = true});
        const auto other = windows(ids, 4, WindowOrder::random, {.batch = 3, .seed = 6, .shuffled = true});
        int same = 0;
        for (int64_t k = 0; k < 20; ++k) {
            CHECK(again->at(19 - k).input.values == batches->at(19 - k).input.values);
            same += other->at(k).input.values == batches->at(k).input.values ? 1 : 0;
        }
        CHECK(same < 5);
        CHECK(windows(counting_ids(25), 4, WindowOrder::random, {.batch = 3, .shuffled = true})->per_epoch() == 3);
    }
    TEST_CASE("broken running text, each with its message") {
        const TestFiles folder;
        const std::string file = folder.write("t", "abcdefghij");
        const std::string fetch =
            "; configs/README.md says what to fetch and from where, or give the files with --set data.path=FILE";
        CHECK(message({}) == "data.path: a text is needed: files in path 0, in train 0" + fetch);
        CHECK(message({.path = {file}, .train = {file}}) ==
              "data.path: the training text is named twice: files in path 1, in train 1");
        CHECK(
            message({.path = {file}, .valid = {file}}) ==
            "data.valid: 'path' is cut into training and validation part: files in path 1, in valid 1; 'train' is for use with "
            "'valid'");
        CHECK(message({.path = {folder.path("gone")}}) ==
              folder.path("gone") +
                  ": file is missing: configs/README.md says what to fetch and from where, or give the files "
                  "with --set data.path=FILE");
        CHECK(message({.path = {folder.path("*.none")}}) ==
              "data.path: no file matches: files 0, pattern '" + folder.path("*.none") + "'" + fetch);
        CHECK(message({.train = {folder.write("empty", "")}}) ==
              "data.train: there is no text: files 1, bytes 0, needed at least 1");
        CHECK(message({.train = {folder.write("plain.gz", "text")}}) ==
              folder.path("plain.gz") + ": name ends in .gz but the content is not gzip: first bytes 74 65 78 74");
        CHECK(message({.path = {file}, .valid_fraction = 0.1}) == "data: the valid text is too short: tokens 1, needed 2");
        CHECK(message({.path = {file}, .valid_fraction = 0.7}) ==
              "data: the train text is too short: tokens 3, needed 5 = context + 1");
        CHECK(message({.path = {file}}, {}) ==
              "data.context: the length of a window is needed: data.context 0, model's context 0");
        TextOptions limited{.path = {file}};
        for (const char* name : {"char", "byte", "bpe", "wordpiece"}) {
            limited.tokenizer.choose(name);
            limited.min_count = 2;
            limited.max_vocabulary = 0;
            const std::string none = fmt::format(
                "data.tokenizer '{}': it leaves no symbol out, as none stands for what is left out: data.min_count ", name);
            const std::string word = "; they are for 'word'";
            CHECK(message(limited) == none + "2, needed 1, data.max_vocabulary 0, needed 0" + word);
            limited.min_count = 1;
            limited.max_vocabulary = 300;
            CHECK(message(limited) == none + "1, needed 1, data.max_vocabulary 300, needed 0" + word);
        }
        CHECK(message({.path = {file}, .context = 5}) ==
              "data.context: windows are longer than the model's context: data.context 5, model's context 4");
        CHECK(message({.path = {folder.write("bad",
                                             "fine\nab\xff"
                                             "cdefgh\n")}}) ==
              folder.path("bad") + ":2: text is not valid UTF-8: byte 3 of the line, value 0xff");
        CHECK_THROWS_AS(windows(counting_ids(3), 0, WindowOrder::random, {.batch = 3}), Error);
        CHECK_THROWS_AS(windows(counting_ids(3), 2, WindowOrder::random, {.batch = 0}), Error);
        CHECK_THROWS_AS(windows(counting_ids(3), 3, WindowOrder::random, {.batch = 1, .shuffled = true}), Error);
        CHECK_THROWS_AS(windows(counting_ids(1), 3, WindowOrder::random, {.batch = 1})->at(0), Error);
        CHECK_THROWS_AS(windows(counting_ids(3), 1, WindowOrder::random, {.batch = 1})->at(-1), Error);
    }
}

}  // namespace language_model_test
