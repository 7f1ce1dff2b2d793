#include <doctest/doctest.h>

#include "data/tasks/tsv.h"
#include "tests/data/test_files.h"

namespace tsv_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;

std::string message(const TsvOptions& options, const TaskSetup& setup = {}) {
    try {
        tsv_task(options, setup);
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

Strings pairs(const Task& task, Split split) {
    Strings all;
    for (int64_t i = 0; i < task.size(split); ++i)
        all.push_back(task.source_text(split, i) + " = " + task.target_text(split, i));
    return all;
}

}  // namespace

TEST_SUITE("tsv") {
    TEST_CASE("columns by number, plain and packed files") {
        const TestFiles folder;
        TsvOptions options;
        options.train = folder.write("train.tsv", "Go .\tVa !\tby A\nRun  on\tCours\tby B\r\n");
        options.valid = folder.write_gzip("valid.tsv.gz", "Go\tVa\tby C\n");
        const auto task = tsv_task(options, {});
        CHECK(pairs(*task, Split::train) == Strings{"Go . = Va !", "Run on = Cours"});
        CHECK(pairs(*task, Split::valid) == Strings{"Go = Va"});
        CHECK(task->size(Split::test) == 0);
        CHECK(task->metrics() == Strings{"accuracy", "exact_match", "bleu", "chrf", "attention_entropy"});
        options.source = "2";
        options.target = "1";
        options.target_unit.choose("char");
        options.metrics = "symbols";
        const auto turned = tsv_task(options, {});
        CHECK(pairs(*turned, Split::train) == Strings{"Va ! = Go .", "Cours = Run  on"});
        CHECK(turned->cut_target("a\u00e9 ") == Strings{"a", "\u00e9", " "});
        CHECK(task->cut_target(" a\u00e9  b ") == Strings{"a\u00e9", "b"});
        CHECK(turned->metrics() ==
              Strings{"accuracy", "exact_match", "word_error_rate", "symbol_error_rate", "edit_distance", "attention_entropy"});
        options.metrics = "all";
        CHECK(tsv_task(options, {})->metrics().size() == 8);
    }
    TEST_CASE("columns by name, several source columns") {
        const TestFiles folder;
        TsvOptions options;
        options.header = true;
        options.train = folder.write("train.tsv", "form\tlemma\ttags\nwent\tgo\tV PST\nruns\trun\tV 3\n");
        options.test = folder.write("test.tsv", "tags\tform\tlemma\tnote\nV 3\tgoes\tgo\tx\n");  // found by name in every file
        options.source = "lemma, tags";
        options.target = "form";
        options.join = " | ";
        const auto task = tsv_task(options, {});
        CHECK(pairs(*task, Split::train) == Strings{"go | V PST = went", "run | V 3 = runs"});
        CHECK(pairs(*task, Split::test) == Strings{"go | V 3 = goes"});
        const Strings lines = {"go\tV 3", "go | V 3"};
        const Ids ids = task->encode_sources(lines);
        CHECK(ids.length(0) == 4);
        CHECK(std::equal(ids.row(0), ids.row(0) + 4, ids.row(1)));
        CHECK_THROWS_WITH_AS(task->encode_sources(Strings{"go", "go\tV\t3"}),
                             "line 2: wrong number of source columns: columns 3, needed 2", Error);
        options.source = "2,3";  // numbers work with a header too
        options.test = "";
        CHECK(pairs(*tsv_task(options, {}), Split::train) == Strings{"go | V PST = went", "run | V 3 = runs"});
    }
    TEST_CASE("limits are those of parallel") {
        const TestFiles folder;
        TsvOptions options;
        options.train = folder.write("train.tsv", "a b\tx\na\ty\nc c c\tz z\n");
        options.max_length = 2;
        CHECK(tsv_task(options, {})->describe().back() == "train: 1 of 3 pairs left out, longer than max_length 2 on a side");
        options.first = 1;
        CHECK(pairs(*tsv_task(options, {}), Split::train) == Strings{"a b = x"});
        options.first = 4;
        CHECK(message(options) == "data.first: there are not so many pairs: first 4, lines of " + options.train + " 3");
        options.first = 0;
        options.min_count = 2;
        CHECK(tsv_task(options, {})->source_vocabulary_size() == first_free_id + 2);
        options.min_count = 1;
        options.max_vocabulary = 1;
        CHECK(tsv_task(options, {})->target_vocabulary_size() == first_free_id + 1);
    }
    TEST_CASE("a tsv task saved with the run") {
        const TestFiles folder;
        TsvOptions options;
        options.train = folder.write("train.tsv", "a b\tx\na\ty\n");
        const auto task = tsv_task(options, {});
        task->save(folder.path());
        TaskSetup setup;
        setup.saved = folder.path();
        setup.load_data = false;
        options.train = folder.path("gone.tsv");
        const auto again = tsv_task(options, setup);
        const Strings lines = {"b a q"};
        CHECK(again->encode_sources(lines).values == task->encode_sources(lines).values);
        CHECK(again->size(Split::train) == 0);
    }
    TEST_CASE("grouped references: one question a source, training and loss as before") {
        const TestFiles folder;
        TsvOptions options;
        options.train = folder.write("train.tsv", "a\tx\nb\ty\na\tx z\n");
        options.test = folder.write("test.tsv", "b\tx\n a \tx\nb\tz\na\tw\nb\tx\n");
        const auto each = tsv_task(options, {});
        CHECK(each->references(Split::test, 0) == Strings{"x"});
        CHECK(each->references(Split::test, 2) == Strings{"z"});
        CHECK_THROWS_AS(each->references(Split::test, 5), Error);
        options.references = "grouped";
        const auto task = tsv_task(options, {});
        CHECK(task->references(Split::test, 0) == Strings{"x", "z", "x"});
        CHECK(task->references(Split::test, 1) == Strings{"x", "w"});
        for (int64_t i : {2, 3, 4}) CHECK(task->references(Split::test, i).empty());
        CHECK(task->size(Split::test) == 5);
        CHECK(task->size(Split::train) == 3);
        CHECK(task->target_text(Split::test, 3) == "w");
        const Strings described = task->describe();
        CHECK(described[1] == "train: 2 different sources; decoded text is scored once a source");
        CHECK(described[3] == "test: 2 different sources; decoded text is scored once a source");
        const Batch of_each = each->batches(Split::test, {.batch = 8})->at(0),
                    grouped = task->batches(Split::test, {.batch = 8})->at(0);
        CHECK(of_each.target.values == grouped.target.values);
        CHECK_THROWS_WITH_AS(task->references(Split::test, 5), "tsv: no such example: asked for 5 of test, there are 5", Error);
        CHECK_THROWS_AS(task->references(Split::valid, 0), Error);
    }
    TEST_CASE("broken tsv input, each with its message") {
        const TestFiles folder;
        const std::string file = folder.path("t");
        struct Case {
            std::string content, message;
        };
        const std::string wrong = "wrong number of columns: columns ",
                          same = "; every row has as many columns as the first line";
        for (const Case& c : {
                 Case{"", file + ": file is empty: lines 0, needed at least 1"},
                 {"a\tx\nb\n", file + ":2: " + wrong + "1, needed 2" + same},
                 {"a\tx\nb\ty\tz\n", file + ":2: " + wrong + "3, needed 2" + same},
                 {"a\tx\n\nb\ty\n", file + ":2: " + wrong + "1, needed 2" + same},
                 {"a\n", "data.target: there is no such column: asked for column 2, " + file + ":1 has 1"},
                 {"a\tx\n \ty\n", file + ":2: a pair needs symbols on both sides: source 0 symbols, target " + file +
                                      ":2 1 symbols; remove the pair"},
                 {"a\tx\nb\t\n", file + ":2: a pair needs symbols on both sides: source 1 symbols, target " + file +
                                     ":2 0 symbols; remove the pair"},
                 {"a\tx\nb\xFF\ty\n", file + ":2: text is not valid UTF-8: byte 2 of the line, value 0xff"},
             }) {
            CAPTURE(c.content);
            TsvOptions options;
            options.train = folder.write("t", c.content);
            CHECK(message(options) == c.message);
        }
        TsvOptions options;
        CHECK(message(options).starts_with("data.train: a file is needed: files 0, needed 1; data.train names it; "));
        options.train = folder.path("none");
        CHECK(message(options) == folder.path("none") +
                                      ": file is missing: data.train names it; configs/README.md says what to fetch and from "
                                      "where, or give the files with --set 'data.train=FILE'");
        options.train = folder.write("h", "src\ttrg\tsrc\na\tb\tc\nd\t\xFF\te\n");
        const std::string head = options.train;
        struct Columns {
            std::string source, target;
            bool header;
            std::string message;
        };
        for (const Columns& c : {
                 Columns{"0", "2", false, "data.source: there is no such column: asked for column 0, " + head + ":1 has 3"},
                 {"1", "4", false, "data.target: there is no such column: asked for column 4, " + head + ":1 has 3"},
                 {"99999999999999999999", "2", false,
                  "data.source: there is no such column: asked for column 99999999999999999999, " + head + ":1 has 3"},
                 {"-1", "2", false,
                  "data.source: a column is named by its number where files have no header: asked for '-1', columns 3; names "
                  "need \"header\": true"},
                 {"", "2", false,
                  "data.source: a column is named by its number where files have no header: asked for '', columns 3; names "
                  "need "
                  "\"header\": true"},
                 {"1", "1,2", false, "data.target: there is one target column: '1,2' names 2, needed 1"},
                 {"1", "trgt", true,
                  "data.target: there is no such column: asked for 'trgt', " + head +
                      ":1 has 3: src, trg, src; did you mean 'trg'?"},
                 {"src", "trg", true,
                  "data.source: the header names the column more than once: 'src' 2 times, " + head + ":1 has 3 columns"},
                 {"1", "trg", true, head + ":3: text is not valid UTF-8: byte 1 of the line, value 0xff"},
             }) {
            options.source = c.source;
            options.target = c.target;
            options.header = c.header;
            CHECK(message(options) == c.message);
        }
        options = {};
        options.header = true;
        options.train = folder.write("h", "src\ttrg\n");
        CHECK(message(options) == options.train + ": there are no rows below the header: lines 1, needed at least 2");
    }
}

}  // namespace tsv_test
