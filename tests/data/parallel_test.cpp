#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

#include "core/base/random.h"
#include "data/tasks/parallel.h"
#include "tests/data/test_files.h"

namespace parallel_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;

std::string message(const ParallelOptions& options, const TaskSetup& setup = {}) {
    try {
        parallel_task(options, setup);
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

struct Fixture {
    TestFiles folder;
    ParallelOptions options;
    Fixture() {
        options.train = {folder.write("train.src", "a b\nb c  a\na a a a\n"), folder.write("train.trg", "x\ny x\nz z z\n")};
        options.valid = {folder.write("valid.src", "a q"), folder.write("valid.trg", " x  w ")};
        options.test = {folder.write_gzip("test.src.gz", "b\nc\n"), folder.write_gzip("test.trg.gz", "y\nz\n")};
    }
};

}  // namespace

TEST_SUITE("parallel") {
    TEST_CASE("pairs, vocabularies of the training data alone, texts, counts of unknown symbols") {
        const Fixture f;
        const auto task = parallel_task(f.options, {});
        CHECK(task->size(Split::train) == 3);
        CHECK(task->size(Split::valid) == 1);
        CHECK(task->size(Split::test) == 2);
        CHECK(task->source_vocabulary_size() == first_free_id + 3);
        CHECK(task->target_vocabulary_size() == first_free_id + 3);
        CHECK(task->source_text(Split::train, 1) == "b c a");
        CHECK(task->target_text(Split::valid, 0) == "x w");  // the reference keeps unknown words
        CHECK(task->gold_alignment(Split::test, 1).empty());
        CHECK(task->decode_limit(10) == 70);
        const Batch batch = task->batches(Split::valid, {})->at(0);
        CHECK(batch.source.at(0, 0) == 4);
        CHECK(batch.source.at(0, 1) == id_unknown);
        CHECK(batch.target.at(0, 1) == id_unknown);
        CHECK(task->describe() == Strings{"train: 3 examples, 3.0 source and 2.0 target symbols each",
                                          "valid: 1 examples, 2.0 source and 2.0 target symbols each",
                                          "valid: 1 of 2 source symbols are not in the vocabulary",
                                          "valid: 1 of 2 target symbols are not in the vocabulary",
                                          "test: 2 examples, 1.0 source and 1.0 target symbols each",
                                          "vocabulary: 7 source and 7 target ids"});
    }
    TEST_CASE("units of each side") {
        Fixture f;
        f.options.target_unit.choose("char");
        const auto task = parallel_task(f.options, {});
        CHECK(task->target_vocabulary_size() == first_free_id + 4);  // x y z and the blank
        CHECK(task->source_vocabulary_size() == first_free_id + 3);
        CHECK(task->target_text(Split::train, 1) == "y x");
        f.options.target_unit.choose("same");
        f.options.unit.choose("char");
        CHECK(parallel_task(f.options, {})->source_vocabulary_size() == first_free_id + 4);
        f.options.unit.choose("same");
        CHECK(message(f.options).starts_with("unit: 'same' is only for source_unit and target_unit"));
    }
    TEST_CASE("limits: what they cut is counted and said, the other splits are not cut") {
        Fixture f;
        f.options.max_length = 3;
        auto task = parallel_task(f.options, {});
        CHECK(task->size(Split::train) == 2);
        CHECK(task->target_vocabulary_size() == first_free_id + 3);
        CHECK(task->describe().back() == "train: 1 of 3 pairs left out, longer than max_length 3 on a side");
        f.options.max_length = 1;
        CHECK(message(f.options) == "data.max_length: no training pair is left: max_length 1, longer pairs 3 of 3");
        f.options.max_length = 0;
        f.options.first = 2;
        task = parallel_task(f.options, {});
        CHECK(task->size(Split::train) == 2);
        CHECK(task->target_vocabulary_size() == first_free_id + 2);
        CHECK(task->describe().back() == "train: the first 2 pairs");
        f.options.first = 4;
        CHECK(message(f.options) ==
              fmt::format("data.first: there are not so many pairs: first 4, lines of {} 3", f.options.train[0]));
        f.options.first = 0;
        f.options.min_count = 2;
        CHECK(parallel_task(f.options, {})->source_vocabulary_size() == first_free_id + 2);
        f.options.min_count = 1;
        f.options.max_vocabulary = 1;
        CHECK(parallel_task(f.options, {})->target_vocabulary_size() == first_free_id + 1);
    }
    TEST_CASE("saved with the run: the same ids without the training data") {
        Fixture f;
        const auto task = parallel_task(f.options, {});
        task->save(f.folder.path());
        TaskSetup setup;
        setup.saved = f.folder.path();
        setup.load_data = false;
        const auto again = parallel_task({}, setup);
        CHECK(again->size(Split::train) == 0);
        const Strings lines = {"a b c q"};
        CHECK(again->encode_sources(lines).values == task->encode_sources(lines).values);
        CHECK(again->decode_target(std::vector<int32_t>{4, 5, 6}) == task->decode_target(std::vector<int32_t>{4, 5, 6}));
        // Loaded with data of other words, the ids stay those of the run.
        setup.load_data = true;
        ParallelOptions other = f.options;
        other.train = {f.folder.write("other.src", "new words\n"), f.folder.write("other.trg", "x\n")};
        const auto third = parallel_task(other, setup);
        CHECK(third->source_vocabulary_size() == task->source_vocabulary_size());
        CHECK(third->size(Split::train) == 1);
        setup.saved = f.folder.path("nothing");
        CHECK(message(f.options, setup) ==
              f.folder.path("nothing/source_vocabulary.txt") + ": file is missing: nothing of that name is there");
    }
    TEST_CASE("optional splits") {
        Fixture f;
        f.options.valid = f.options.test = {};
        const auto task = parallel_task(f.options, {});
        CHECK(task->size(Split::valid) == 0);
        CHECK(task->size(Split::test) == 0);
    }
    TEST_CASE("broken input, each with its message") {
        const Fixture f;
        const TestFiles& folder = f.folder;
        const auto with = [&](const std::string& source, const std::string& target) {
            ParallelOptions options = f.options;
            options.train = {folder.write("s", source), folder.write("t", target)};
            return message(options);
        };
        const std::string s = folder.path("s"), t = folder.path("t");
        CHECK(with("a\nb\n", "x\n") == "data.train: the two files have different counts of lines: " + s + " 2, " + t + " 1");
        CHECK(with("", "x\n") == s + ": file is empty: lines 0, needed at least 1");
        CHECK(with("a\n", "") == t + ": file is empty: lines 0, needed at least 1");
        CHECK(with("a\n\nb\n", "x\ny\nz\n") ==
              s + ":2: a pair needs symbols on both sides: source 0 symbols, target " + t + ":2 1 symbols; remove the pair");
        CHECK(with("a\nb\n", "x\n  \n") ==
              s + ":2: a pair needs symbols on both sides: source 1 symbols, target " + t + ":2 0 symbols; remove the pair");
        CHECK(with("a\nb \xFF\n", "x\ny\n") == s + ":2: text is not valid UTF-8: byte 3 of the line, value 0xff");
        CHECK(with("a\nb\n", "\xC3\ny\n") == t + ":1: text is not valid UTF-8: byte 1 of the line, value 0xc3");

        ParallelOptions options = f.options;
        options.train = {};
        CHECK(message(options).starts_with("data.train: two files are needed, source and target: files 0, needed 2; "));
        options.train = {"a", "b", "c"};
        CHECK(message(options).starts_with("data.train: two files are needed, source and target: files 3, needed 2; "));
        options = f.options;
        options.test = {folder.path("no.src"), folder.path("no.trg")};
        CHECK(message(options) == folder.path("no.src") +
                                      ": file is missing: data.test names it; configs/README.md says what to fetch and from "
                                      "where, or give the files with --set 'data.test=[\"SOURCE\", \"TARGET\"]'");
        options = f.options;
        options.valid = {folder.write("v.src", "a\n\xFE\n"), folder.write("v.trg", "x\ny\n")};
        CHECK(message(options) == folder.path("v.src") + ":2: text is not valid UTF-8: byte 1 of the line, value 0xfe");
    }
    TEST_CASE("50,000 pairs load in well under a second") {
        const TestFiles folder;
        Stream stream(1, "pairs");
        std::string source, target;
        for (int i = 0; i < 50'000; ++i) {
            for (uint32_t n = 1 + stream.below(25); n > 0; --n) {
                source += std::to_string(stream.below(50)) + (n > 1 ? " " : "\n");
                target += std::to_string(stream.below(50)) + (n > 1 ? " " : "\n");
            }
        }
        ParallelOptions options;
        options.train = {folder.write_gzip("s.gz", source), folder.write_gzip("t.gz", target)};
        const auto begin = std::chrono::steady_clock::now();
        const auto task = parallel_task(options, {});
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
        CHECK(task->size(Split::train) == 50'000);
        MESSAGE("seconds: ", seconds.count());
#if defined(NDEBUG) && !defined(ATTEND_SANITIZED)
        CHECK(seconds.count() < 3);  // about 0.15 on an idle machine
#endif
    }
}

}  // namespace parallel_test
