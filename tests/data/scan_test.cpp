#include <doctest/doctest.h>

#include "data/tasks/scan.h"
#include "tests/data/test_files.h"

namespace scan_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;

std::string message(const ScanOptions& options) {
    try {
        scan_task(options, {});
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

// Command number n and its actions; as many lines as asked for.
std::string commands(int count) {
    std::string text;
    for (int n = 0; n < count; ++n) text += fmt::format("IN: c{} twice OUT: I_C{} I_C{}\n", n, n, n);
    return text;
}

Strings sources(const Task& task, Split split) {
    Strings all;
    for (int64_t i = 0; i < task.size(split); ++i) all.push_back(task.source_text(split, i));
    return all;
}

}  // namespace

TEST_SUITE("scan") {
    TEST_CASE("commands and actions, word by word, from plain and packed files") {
        const TestFiles folder;
        ScanOptions options;
        options.train = folder.write("train", "IN: jump twice OUT: I_JUMP I_JUMP\nIN: turn left OUT: I_TURN_LEFT\r\n");
        options.valid = folder.write("valid", "IN: turn left OUT: I_TURN_LEFT\n");
        options.test = folder.write_gzip("test.gz", "IN: turn left twice OUT: I_TURN_LEFT I_TURN_LEFT");
        const auto task = scan_task(options, {});
        CHECK(sources(*task, Split::train) == Strings{"jump twice", "turn left"});
        CHECK(task->target_text(Split::train, 0) == "I_JUMP I_JUMP");
        CHECK(task->target_text(Split::train, 1) == "I_TURN_LEFT");
        CHECK(sources(*task, Split::valid) == Strings{"turn left"});
        CHECK(sources(*task, Split::test) == Strings{"turn left twice"});
        CHECK(task->source_vocabulary_size() == first_free_id + 4);
        CHECK(task->target_vocabulary_size() == first_free_id + 2);
        CHECK(task->metrics() == Strings{"accuracy", "exact_match", "symbol_error_rate", "attention_entropy"});
        const Ids ids = task->encode_sources(Strings{"jump left"});
        CHECK((ids.length(0) == 2 && ids.at(0, 0) != id_unknown));
        CHECK(task->decode_limit(4) >= 25);  // jump around left thrice, and the end
        task->save(folder.path());
        const auto again = scan_task({}, {.saved = folder.path(), .load_data = false});
        CHECK(again->encode_sources(Strings{"jump left"}).values == ids.values);
    }
    TEST_CASE("without a file for validation every so many-th training line validates") {
        const TestFiles folder;
        ScanOptions options;
        options.train = folder.write("train", commands(10));
        options.valid_fraction = 0.25;
        const auto task = scan_task(options, {});
        CHECK(sources(*task, Split::valid) == Strings{"c3 twice", "c7 twice"});  // lines 4 and 8
        CHECK(task->target_text(Split::valid, 0) == "I_C3 I_C3");
        CHECK(task->target_text(Split::valid, 1) == "I_C7 I_C7");
        CHECK(task->size(Split::train) == 8);
        CHECK(task->size(Split::test) == 0);
        CHECK(task->describe().back() == "valid: 0.25 of the training lines, evenly spaced");
        options.valid_fraction = 0;
        CHECK(scan_task(options, {})->size(Split::valid) == 0);
        CHECK(scan_task(options, {})->size(Split::train) == 10);
        options.valid_fraction = 0.25;
        options.valid = options.train;
        CHECK(scan_task(options, {})->size(Split::valid) == 10);
        CHECK(scan_task(options, {})->size(Split::train) == 10);
    }
    TEST_CASE("places in a file of which some lines validate are those of the file") {
        const TestFiles folder;
        ScanOptions options;
        options.train = folder.write("train", commands(6) + "IN: a b c d e f OUT: I_A\n" + commands(1));
        options.valid_fraction = 0.5;
        CHECK(scan_task(options, {})->longest(Split::train).source.place == folder.path("train") + ":7");
        options.train = folder.write("train", commands(6) + "IN: \xFF OUT: I_A\n" + commands(1));
        CHECK(message(options) == folder.path("train") + ":7: text is not valid UTF-8: byte 5 of the line, value 0xff");
    }
    TEST_CASE("broken scan files, each with its message") {
        const TestFiles folder;
        const std::string file = folder.path("t"), form = "a line is 'IN: command OUT: actions': IN: at its beginning ";
        struct Case {
            std::string content, message;
        };
        for (const Case& c : {
                 Case{"", file + ": file is empty: lines 0, needed at least 1"},
                 {"IN: walk OUT: I_WALK\nwalk OUT: I_WALK\n", file + ":2: " + form + "0, OUT: 1, needed 1 of each"},
                 {"IN: walk I_WALK\n", file + ":1: " + form + "1, OUT: 0, needed 1 of each"},
                 {"IN: walk OUT: I_WALK OUT: I_WALK\n", file + ":1: " + form + "1, OUT: 2, needed 1 of each"},
                 {"IN: walk OUT: I_WALK\n\n", file + ":2: " + form + "0, OUT: 0, needed 1 of each"},
                 {"IN: walk OUT: I_WALK\nIN: OUT: I_WALK\n",
                  file + ":2: a pair needs symbols on both sides: source 0 symbols, target " + file +
                      ":2 1 symbols; remove the pair"},
                 {"IN: walk OUT: I_WALK\nIN: walk OUT:\n",
                  file + ":2: a pair needs symbols on both sides: source 1 symbols, target " + file +
                      ":2 0 symbols; remove the pair"},
             }) {
            CAPTURE(c.content);
            ScanOptions options;
            options.train = folder.write("t", c.content);
            CHECK(message(options) == c.message);
        }
        CHECK(message({}).starts_with("data.train: a file is needed: files 0, needed 1; data.train names it; "));
        ScanOptions options;
        options.train = folder.write("t", commands(3));
        options.test = folder.path("gone");
        CHECK(message(options) == folder.path("gone") +
                                      ": file is missing: data.test names it; configs/README.md says what to fetch and from "
                                      "where, or give the files with --set 'data.test=FILE'");
    }
}

}  // namespace scan_test
