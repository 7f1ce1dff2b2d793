#include <doctest/doctest.h>

#include "data/tasks/sigmorphon.h"
#include "data/text/lines.h"
#include "tests/data/test_files.h"

namespace sigmorphon_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;

std::string message(const SigmorphonOptions& options) {
    try {
        sigmorphon_task(options, {});
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

struct Fixture {
    TestFiles folder;
    SigmorphonOptions options;
    Fixture() {
        options.train = folder.write("train",
                                     "gehen\tging\tV;IND;PST;1;SG\n"
                                     "abide by\tabided by\tV;V.PTCP;PST\n"
                                     "hydrodynamiikka\thydrodynamiikkoina\tN;FRML;PL\n"
                                     "N1\tn<V>\tN;IN+ESS;1\n");
        options.valid = folder.write("valid", "ging\tgeh\tV;PST;DUAL\n");
        options.test = folder.write_gzip("test.gz", "\u0627\u0650\u0639\u062a\tqz\tN\n");
    }
};

}  // namespace

TEST_SUITE("sigmorphon") {
    TEST_CASE("tags, then the lemma's characters, the form's characters") {
        const Fixture f;
        const auto task = sigmorphon_task(f.options, {});
        CHECK(task->size(Split::train) == 4);
        CHECK(task->source_text(Split::train, 0) == "gehen\tV;IND;PST;1;SG");
        CHECK(task->target_text(Split::train, 1) == "abided by");
        const auto symbols = [&](const std::string& line) {
            const Ids ids = task->encode_sources(Strings{line});
            return task->source_symbols(std::span(ids.row(0), static_cast<std::size_t>(ids.length(0))));
        };
        CHECK(symbols("gehen\tV;IND;PST;1;SG") == Strings{"<V>", "<IND>", "<PST>", "<1>", "<SG>", "g", "e", "h", "e", "n"});
        CHECK(symbols("e b\tV.PTCP") == Strings{"<V.PTCP>", "e", " ", "b"});
        // The tags N and 1 are not the characters N and 1; an order never seen is no fault.
        CHECK(symbols("N1\t1;N") == Strings{"<1>", "<N>", "N", "1"});
        CHECK(task->encode_sources(Strings{"N1\t1;N"}).at(0, 1) != task->encode_sources(Strings{"N1\t1;N"}).at(0, 2));
        CHECK(task->cut_target("ab\u00e9") == Strings{"a", "b", "\u00e9"});
        CHECK(task->decode_limit(10) == 40);
        CHECK(task->metrics() == Strings{"accuracy", "exact_match", "edit_distance", "symbol_error_rate", "attention_entropy"});
    }
    TEST_CASE("what training did not show is unknown and counted") {
        const Fixture f;
        const auto task = sigmorphon_task(f.options, {});
        const Batch valid = task->batches(Split::valid, {})->at(0);
        CHECK(valid.source.length(0) == 7);
        CHECK(valid.source.at(0, 2) == id_unknown);  // DUAL
        CHECK(std::count(valid.source.values.begin(), valid.source.values.end(), int32_t{id_unknown}) == 1);
        const Strings lines = task->describe();
        CHECK(lines[2] == "valid: 1 of 7 source symbols are not in the vocabulary");
        CHECK(lines[4] == "test: 4 of 5 source symbols are not in the vocabulary");
        CHECK(lines[5] == "test: 2 of 2 target symbols are not in the vocabulary");
    }
    TEST_CASE("lines to translate hold lemma and tags") {
        const Fixture f;
        const auto task = sigmorphon_task(f.options, {});
        for (const auto& [line, text] : std::vector<std::pair<std::string, std::string>>{
                 {"gehen", "line 2: a source is a lemma, a tab, and tags: columns 1, needed 2"},
                 {"gehen\tging\tV", "line 2: a source is a lemma, a tab, and tags: columns 3, needed 2"},
                 {"\tV", "line 2: the lemma is empty: bytes 0, needed at least 1"},
                 {"gehen\t", "line 2: a tag is empty: tag 1 of '', bytes 0, needed at least 1"},
                 {"gehen\tV;;SG", "line 2: a tag is empty: tag 2 of 'V;;SG', bytes 0, needed at least 1"},
                 {"gehen\tV;SG;", "line 2: a tag is empty: tag 3 of 'V;SG;', bytes 0, needed at least 1"},
                 {"geh\xC3\tV", "line 2: text is not valid UTF-8: byte 4 of the line, value 0xc3"},
             }) {
            CAPTURE(line);
            CHECK_THROWS_WITH_AS(task->encode_sources(Strings{"gehen\tV;PST", line}), text.c_str(), Error);
        }
    }
    TEST_CASE("saved with the run, a vocabulary of another tokenizer is refused") {
        const Fixture f;
        const auto task = sigmorphon_task(f.options, {});
        task->save(f.folder.path());
        TaskSetup setup;
        setup.saved = f.folder.path();
        setup.load_data = false;
        const auto again = sigmorphon_task({}, setup);
        const Strings lines = {"gehen\tV;IND;PST;1;SG"};
        CHECK(again->encode_sources(lines).values == task->encode_sources(lines).values);
        CHECK(again->source_vocabulary_size() == task->source_vocabulary_size());
        f.folder.write(source_vocabulary_file, "attend vocabulary 1: 2 symbols\na\nword\n");
        CHECK_THROWS_WITH_AS(
            sigmorphon_task({}, setup),
            (f.folder.path(source_vocabulary_file) + ": a symbol is neither a tag nor a character: symbol 'word', 4 bytes")
                .c_str(),
            Error);
    }
    TEST_CASE("the tokenizer there and back") {
        const TestFiles folder;
        const TextFile text{"x", read_lines(folder.write("x", "gehen\tV;PST\n"))};
        TokenizerSetup setup;
        setup.training = &text;
        const auto tokenizer = inflection_tokenizer(setup);
        const auto ids = tokenizer->encode("hen\tPST;V;XX", Place{});
        CHECK(tokenizer->decode(ids) == "<unk>hen\tPST;V");  // an unknown tag is no longer told from an unknown character
        CHECK(tokenizer->decode(tokenizer->encode("gehen\tV;PST", Place{})) == "gehen\tV;PST");
        CHECK(tokenizer->cut("hen\tXX") == Strings{"<XX>", "h", "e", "n"});
        CHECK(tokenizer->size() == first_free_id + 6);
    }
    TEST_CASE("broken sigmorphon files, each with its message") {
        const Fixture f;
        const std::string file = f.folder.path("t");
        struct Case {
            std::string content, message;
        };
        const std::string hint = "; lemma, form, tags; lines without a form are for 'attend translate'";
        for (const Case& c : {
                 Case{"", file + ": file is empty: lines 0, needed at least 1"},
                 {"a\tb\tV\na\tV\n", file + ":2: wrong number of columns: columns 2, needed 3" + hint},
                 {"a\tb\tV\tx\n", file + ":1: wrong number of columns: columns 4, needed 3" + hint},
                 {"a\tb\tV\n\n", file + ":2: wrong number of columns: columns 1, needed 3" + hint},
                 {"a\tb\tV\n\tb\tV\n", file + ":2: the lemma is empty: bytes 0, needed at least 1"},
                 {"a\tb\tV\na\tb\tV;;PL\n", file + ":2: a tag is empty: tag 2 of 'V;;PL', bytes 0, needed at least 1"},
                 {"a\tb\tV\na\t\tV\n", file + ":2: a pair needs symbols on both sides: source 2 symbols, target " + file +
                                           ":2 0 symbols; remove the pair"},
                 {"a\tb\tV\na\tb\xFF\tV\n", file + ":2: text is not valid UTF-8: byte 2 of the line, value 0xff"},
                 {"a\tb\tV\xFF\n", file + ":1: text is not valid UTF-8: byte 4 of the line, value 0xff"},
             }) {
            CAPTURE(c.content);
            SigmorphonOptions options = f.options;
            options.train = f.folder.write("t", c.content);
            CHECK(message(options) == c.message);
        }
        SigmorphonOptions options;
        CHECK(message(options).starts_with("data.train: a file is needed: files 0, needed 1; data.train names it; "));
        options = f.options;
        options.test = f.folder.path("covered");
        CHECK(message(options).starts_with(options.test + ": file is missing: data.test names it; "));
    }
}

}  // namespace sigmorphon_test
