#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "data/tasks/classification.h"
#include "tests/data/test_files.h"

namespace classification_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;
using Ids32 = std::vector<int32_t>;

std::string message(const ClassificationOptions& options, const TaskSetup& setup = {.context = 16}) {
    try {
        classification_task(options, setup);
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

Ids32 row_of(const Ids& ids, int64_t row) { return {ids.row(row), ids.row(row) + ids.length(row)}; }

}  // namespace

TEST_SUITE("classification") {
    TEST_CASE("a text and its label") {
        const TestFiles folder;
        ClassificationOptions options;
        options.train = folder.write("train", "a good one\tpos\nbad\tneg\na bad one\tneg\ngood\tpos\n");
        options.valid = folder.write_gzip("valid.gz", "so good\tpos\n");
        const auto task = classification_task(options, {.context = 16});
        CHECK(task->classes() == 2);
        CHECK(task->class_name(0) == "neg");
        CHECK(task->source_vocabulary_size() == 0);
        // By falling count, then by bytes: a bad good one <unk> [MASK] [CLS] [SEP]
        CHECK(task->target_vocabulary_size() == 8);
        CHECK(task->size(Split::train) == 4);
        CHECK(task->size(Split::test) == 0);
        CHECK(task->source_text(Split::train, 0) == "a good one");
        CHECK(task->target_text(Split::train, 0) == "pos");
        CHECK(task->references(Split::train, 1) == Strings{"neg"});
        CHECK(task->cut_target("pos") == Strings{"pos"});
        CHECK(task->decode_target(Ids32{1}) == "pos");
        CHECK(task->target_symbols(Ids32{1, 0}) == Strings{"pos", "neg"});
        CHECK(task->source_symbols(Ids32{6, 0, 7}) == Strings{"[CLS]", "a", "[SEP]"});
        CHECK(task->metrics() == Strings{"label_accuracy"});
        CHECK(task->targets() == TargetKind::none);
        CHECK(task->describe() ==
              Strings{"train: 4 rows, 4.0 tokens each", "valid: 1 rows, 4.0 tokens each", "vocabulary: 8 ids", "classes: 2"});
        const Batch valid = task->batches(Split::valid, {.batch = 4})->at(0);
        CHECK(row_of(valid.input, 0) == Ids32{6, 4, 2, 7});
        CHECK(valid.labels[0] == 1);
        CHECK(valid.source.rows == 0);
        CHECK(valid.segments.rows == 0);
        CHECK(valid.targets() == 0);
        CHECK(valid.target.length(0) == 4);
        CHECK(row_of(task->encode_sources(Strings{"good"}), 0) == Ids32{6, 2, 7});
        CHECK_THROWS_WITH_AS(task->encode_sources(Strings{"a", "a\tb"}), "line 2: wrong number of texts: columns 2, needed 1",
                             Error);
        CHECK_THROWS_WITH_AS(task->source_text(Split::valid, 1),
                             "classification: no such example: asked for 1 of valid, there are 1", Error);
        CHECK_THROWS_WITH_AS(task->class_name(2), "classification: no such class: asked for 2, classes 2", Error);
        CHECK_THROWS_AS(task->decode_target(Ids32{-1}), Error);
    }
    TEST_CASE("two texts: segments, cut to the context, every row in an epoch") {
        const TestFiles folder;
        ClassificationOptions options;
        std::string rows = "what\tlabel\tpremise\n";
        for (int i = 0; i < 20; ++i)
            rows += std::string(static_cast<std::size_t>(1 + i % 7), 'x') + "\t" + std::to_string(i % 3) + "\t" +
                    std::string(static_cast<std::size_t>(1 + i % 5), 'y') + "\n";
        options.train = folder.write("train", rows);
        options.header = true;
        options.text = "premise";
        options.second = "what";
        options.label = "label";
        options.tokenizer.choose("char");
        const auto task = classification_task(options, {.context = 11});  // room for 8
        CHECK(task->classes() == 3);
        CHECK(task->source_text(Split::train, 5) == "y\txxxxxx");
        CHECK(task->describe()[1] == "train: 6 of 20 rows cut to 11 tokens");
        std::set<int64_t> seen;
        const auto batches = task->batches(Split::train, {.batch = 3, .seed = 7, .shuffled = true});
        CHECK(batches->per_epoch() == 7);
        for (int64_t k = 0; k < 7; ++k) {
            const Batch b = batches->at(k);
            for (int64_t r = 0; r < b.rows(); ++r) {
                const int64_t e = b.examples[static_cast<std::size_t>(r)];
                seen.insert(e);
                CHECK(b.labels[static_cast<std::size_t>(r)] == e % 3);
                int64_t premise = 1 + e % 5, what = 1 + e % 7;
                while (premise + what > 8) --(premise > what ? premise : what);
                Ids32 ids = {3}, segments = {0};
                ids.insert(ids.end(), static_cast<std::size_t>(premise), 1);
                ids.push_back(4);
                segments.resize(ids.size(), 0);
                ids.insert(ids.end(), static_cast<std::size_t>(what), 0);
                ids.push_back(4);
                segments.resize(ids.size(), 1);
                CHECK(row_of(b.input, r) == ids);
                CHECK(row_of(b.segments, r) == segments);
            }
        }
        CHECK(seen.size() == 20);
        CHECK(row_of(task->encode_sources(Strings{"y\tx"}), 0) == Ids32{3, 1, 4, 0, 4});
    }
    TEST_CASE("saved labels and tokens, and the tokens of another task") {
        const TestFiles folder;
        ClassificationOptions options;
        options.train = folder.write("train", "a b\tone\nb\ttwo\n");
        const auto task = classification_task(options, {.context = 8});
        task->save(folder.path());
        options.train = folder.path("gone");
        const auto again = classification_task(options, {.saved = folder.path(), .load_data = false});
        CHECK(again->classes() == 2);
        CHECK(again->class_name(1) == "two");
        CHECK(again->encode_sources(Strings{"b a"}).values == task->encode_sources(Strings{"b a"}).values);
        std::filesystem::remove(folder.path(labels_file));
        CHECK(message(options, {.saved = folder.path(), .load_data = false}) ==
              folder.path(labels_file) + ": file is missing: rows to take the classes from 0, needed at least 1");
        options.train = folder.write("other", "c a\tx\nb\ty\n");
        const auto moved = classification_task(options, {.saved = folder.path(), .context = 8});
        CHECK(moved->target_vocabulary_size() == task->target_vocabulary_size());
        CHECK(moved->class_name(0) == "x");
        // Labels of a run that began elsewhere: a class keeps its number where all are known, else
        // the data's own count.
        options.train = folder.write("three", "a\tone\nb\ttwo\nc\tthree\n");
        const auto three = classification_task(options, {.context = 8});
        three->save(folder.path());
        options.train = folder.write("fewer", "a\ttwo\nb\tone\n");
        CHECK(classification_task(options, {.saved = folder.path(), .context = 8})->class_name(1) == three->class_name(1));
        options.train = folder.write("others", "a\tfour\nb\tone\n");
        CHECK(classification_task(options, {.saved = folder.path(), .context = 8})->classes() == 2);
    }
    TEST_CASE("broken rows to classify, each with its message") {
        const TestFiles folder;
        const std::string file = folder.path("t");
        ClassificationOptions options;
        options.train = file;
        const auto load = [&](const std::string& content) {
            folder.write("t", content);
            return message(options);
        };
        const std::string good = "a\tx\nb\ty\n";
        CHECK(load(good) == "no error");
        CHECK(load("a\tx\nb\n") ==
              file + ":2: wrong number of columns: columns 1, needed 2; every row has as many columns as the first line");
        CHECK(load("a\tx\nb\t\n") == file + ":2: a label is empty: column 2, 0 bytes");
        CHECK(load("a\tx\nb\tx\n") == file + ": there is nothing to tell apart: classes 1, needed at least 2");
        CHECK(load("a\n") == "data.label: there is no such column: asked for column 2, " + file + ":1 has 1");
        CHECK(load("a\tx\xff\n") == file + ":1: text is not valid UTF-8: byte 2 of the line, value 0xff");
        CHECK(load("a\tx\nb\xff\ty\n") == file + ":2: text is not valid UTF-8: byte 2 of the line, value 0xff");
        folder.write("t", good);
        options.valid = folder.write("v", "a\tz\n");
        CHECK(message(options) == folder.path("v") + ":1: a label that no training row has: 'z', classes 2");
        options.valid = "";
        CHECK(message(options, {.context = 2}) == "data.context: a row has no room for text: context 2, needed at least 3");
        CHECK(message(options, {}) == "data.context: the length of a row is needed: data.context 0, model's context 0");
        options.context = 20;
        CHECK(message(options) ==
              "data.context: rows are longer than the model's context: data.context 20, model's context 16");
        options.context = 0;
        options.second = "3";
        CHECK(message(options) == "data.second: there is no such column: asked for column 3, " + file + ":1 has 2");
        options.second = "name";
        CHECK(
            message(options) ==
            "data.second: a column is named by its number where files have no header: asked for 'name', columns 2; names need "
            "\"header\": true");
        options.train = "";
        CHECK(message(options).starts_with("data.train: a file is needed: files 0, needed 1; "));
    }
}

}  // namespace classification_test
