#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/random.h"
#include "data/masking.h"
#include "data/tasks/masked_text.h"
#include "data/text/special_tokens.h"
#include "data/text/wordpiece.h"
#include "tests/data/test_files.h"

namespace masked_text_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;
using Ids32 = std::vector<int32_t>;

std::string message(const MaskedTextOptions& options, const TaskSetup& setup) {
    try {
        masked_text_task(options, setup);
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

// Text in which every three bytes at a multiple of three stand once.
std::string countable(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        text += static_cast<char>('a' + i / 26 % 26);
        text += static_cast<char>('a' + i % 26);
        text += static_cast<char>('A' + i / 676 % 26);
    }
    return text;
}

MaskedTextOptions bytes_of(const TestFiles& folder, const std::string& text) {
    MaskedTextOptions options;
    options.text.path = {folder.write("text", text)};
    options.text.tokenizer.choose("byte");
    return options;
}

// The row before its corruption.
Ids32 restored(const Batch& b, int64_t row) {
    Ids32 ids;
    for (int64_t t = 0; t < b.input.length(row); ++t)
        ids.push_back(b.target.at(row, t) == id_ignored ? b.input.at(row, t) : b.target.at(row, t));
    return ids;
}

int64_t chosen(const Batch& b, int64_t row) {
    int64_t count = 0;
    for (int64_t t = 0; t < b.target.columns; ++t) count += b.target.at(row, t) != id_ignored ? 1 : 0;
    return count;
}

constexpr const char* pieces = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\naa\n##bb\n##cc\ndd\nee\n";

}  // namespace

TEST_SUITE("masked text") {
    TEST_CASE("15 percent, of these 80, 10 and 10 percent, all else untouched") {
        const TestFiles folder;
        const auto task = masked_text_task(bytes_of(folder, countable(1000)), {.context = 102});
        CHECK(task->target_vocabulary_size() == 259);
        CHECK(task->source_vocabulary_size() == 0);
        CHECK(task->size(Split::train) == 27);
        CHECK(task->size(Split::valid) == 3);
        const auto batches = task->batches(Split::train, {.batch = 10, .seed = 2, .shuffled = true});
        CHECK(batches->per_epoch() == 3);
        double masks = 0, kept = 0, other = 0;
        std::array<int64_t, 100> at_place{};
        for (int64_t k = 0; k < 200; ++k) {
            const Batch b = batches->at(k);
            CHECK(b.segments.rows == 0);
            CHECK(b.labels.empty());
            CHECK(b.source.rows == 0);
            CHECK(b.targets() == 150);
            for (int64_t r = 0; r < 10; ++r) {
                CHECK(b.input.length(r) == 102);
                CHECK(chosen(b, r) == 15);
                for (int64_t t = 0; t < 102; ++t) {
                    const int32_t target = b.target.at(r, t), input = b.input.at(r, t);
                    if (target == id_ignored)
                        continue;
                    ++at_place.at(static_cast<std::size_t>(t) - 1);
                    masks += input == 256 ? 1 : 0;
                    kept += input == target ? 1 : 0;
                    other += input != 256 && input != target ? 1 : 0;
                }
            }
        }
        const double n = masks + kept + other;
        CHECK(n == 30'000);
        // Five standard errors; the drawn id may be the mask or the right one: 0.1 / 259 each.
        CHECK(std::abs(masks / n - 0.8 - 0.1 / 259) < 5 * std::sqrt(0.8 * 0.2 / n));
        CHECK(std::abs(kept / n - 0.1 - 0.1 / 259) < 5 * std::sqrt(0.1 * 0.9 / n));
        for (int64_t count : at_place) CHECK(std::abs(static_cast<double>(count) - 300) < 5 * std::sqrt(300 * 0.85));
        const std::string text = folder.read("text");
        const Ids32 row = restored(batches->at(0), 0);
        CHECK(row[0] == 257);
        CHECK(row[101] == 258);
        const std::string found = task->decode_target(std::span(row).subspan(1, 100));
        CHECK(text.find(found) != std::string::npos);
    }
    TEST_CASE("fresh in every epoch, the same in every evaluation of whatever batch") {
        const TestFiles folder;
        auto options = bytes_of(folder, countable(200));
        options.text.order = "sequential";
        const auto task = masked_text_task(options, {.context = 52});
        const auto training = task->batches(Split::train, {.batch = 10, .seed = 2, .shuffled = true});
        CHECK(training->per_epoch() == 1);
        const Batch first = training->at(0), second = training->at(1), again = training->at(0);
        CHECK(restored(first, 3) == restored(second, 3));
        CHECK(first.target.values != second.target.values);
        CHECK(first.target.values == again.target.values);
        CHECK(first.input.values == again.input.values);
        const auto large = task->batches(Split::train, {.batch = 16, .seed = 2}),
                   small = task->batches(Split::train, {.batch = 3, .seed = 2});
        CHECK(large->per_epoch() == 1);
        const Batch all = large->at(0);
        for (int64_t r = 0; r < all.rows(); ++r) {
            const Batch b = small->at(r / 3 + 4 * r);  // 4 batches an epoch, all epochs alike
            CHECK(b.examples[static_cast<std::size_t>(r % 3)] == r);
            for (int64_t t = 0; t < b.input.length(r % 3); ++t) {
                CHECK(b.input.at(r % 3, t) == all.input.at(r, t));
                CHECK(b.target.at(r % 3, t) == all.target.at(r, t));
            }
        }
        CHECK(all.input.length(all.rows() - 1) == 42);
        CHECK(chosen(all, all.rows() - 1) == 6);
        CHECK(task->target_text(Split::train, 1) == folder.read("text").substr(50, 50));
        const auto other = task->batches(Split::train, {.batch = 16, .seed = 3})->at(0);
        CHECK(other.target.values == all.target.values);  // runs of other seeds are compared on the same words
    }
    TEST_CASE("special tokens around a window, whole words") {
        const TestFiles folder;
        MaskedTextOptions options;
        std::string text;
        for (int i = 0; i < 100; ++i) text += i % 3 == 0 ? "aabbcc " : i % 3 == 1 ? "dd " : "aabb ";  // 6 ids a turn
        options.text.path = {folder.write("text", text)};
        options.text.tokenizer.choose("wordpiece");
        options.text.tokenizer.as<WordpieceOptions>().vocabulary = folder.write("vocab.txt", pieces);
        options.text.order = "sequential";
        options.whole_word = true;
        options.mask_share = 0.25;
        const auto task = masked_text_task(options, {.context = 14});  // 12 ids of text: a quarter is 3
        CHECK(task->target_vocabulary_size() == 10);
        const auto batches = task->batches(Split::train, {.batch = 8, .shuffled = true});
        std::set<Ids32> sets;
        for (int64_t k = 0; k < 50; ++k) {
            const Batch b = batches->at(k);
            for (int64_t r = 0; r < 8; ++r) {
                const Ids32 row = restored(b, r);
                CHECK(row == Ids32{2, 5, 6, 7, 8, 5, 6, 5, 6, 7, 8, 5, 6, 3});
                Ids32 places;
                for (int32_t t = 0; t < 14; ++t)
                    if (b.target.at(r, t) != id_ignored)
                        places.push_back(t);
                CHECK(places.size() <= 3);
                for (int32_t t : places)
                    for (int32_t mate : {t - 1, t + 1}) {
                        const bool one_word = row[static_cast<std::size_t>(std::max(mate, t))] == 6 ||
                                              row[static_cast<std::size_t>(std::max(mate, t))] == 7;
                        if (one_word)
                            CHECK(std::ranges::count(places, mate) == 1);
                    }
                sets.insert(places);
            }
        }
        // A word of three, or one of two and one of one, or both of one: 2 + 2 * 2 + 1
        CHECK(sets.size() == 7);
        options.mask_share = 0.001;  // at least one: a single one fits
        const auto sparing = masked_text_task(options, {.context = 14});
        const auto few = sparing->batches(Split::train, {.batch = 8, .shuffled = true});
        for (int64_t r = 0; r < 8; ++r) CHECK(chosen(few->at(0), r) == 1);
        CHECK(task->encode_prompt("aa[MASK] dd", Place{}) == Ids32{5, 4, 8});
        CHECK(task->decode_target(Ids32{5, 4, 8}) == "aa [MASK] dd");
        CHECK(task->classes() == 0);
        CHECK_THROWS_AS(task->class_name(0), Error);
    }
    TEST_CASE("two texts a row: the next one or another, with segments and labels") {
        const TestFiles folder;
        auto options = bytes_of(folder, countable(600));
        options.text.valid_fraction = 0.2;
        options.next_sentence = true;
        const auto task = masked_text_task(options, {.context = 43});
        CHECK(task->target_vocabulary_size() == 259);
        CHECK(task->classes() == 2);
        CHECK(task->class_name(1) == "random");
        CHECK(task->targets() == TargetKind::masked);
        CHECK(task->metrics() == Strings{"accuracy", "label_accuracy"});
        CHECK_THROWS_WITH_AS(task->class_name(2), "masked_text: no such class: asked for 2, classes 2", Error);
        CHECK(task->size(Split::valid) == 9);  // 360 / 40
        const auto batches = task->batches(Split::train, {.batch = 20, .seed = 4, .shuffled = true});
        const std::string text = folder.read("text").substr(0, 1440);
        double random = 0, rows = 0;
        std::set<int64_t> lengths;
        for (int64_t k = 0; k < 50; ++k) {
            const Batch b = batches->at(k);
            for (int64_t r = 0; r < 20; ++r, ++rows) {
                const Ids32 row = restored(b, r);
                CHECK(row.size() == 43);
                CHECK(row[0] == 257);
                CHECK(row[42] == 258);
                const auto boundary = static_cast<int64_t>(std::ranges::find(row, 258) - row.begin());
                CHECK(b.segments.length(r) == 43);
                for (int64_t t = 0; t < 43; ++t) CHECK(b.segments.at(r, t) == (t > boundary ? 1 : 0));
                for (int64_t t : {int64_t{0}, boundary, int64_t{42}}) CHECK(b.target.at(r, t) == id_ignored);
                CHECK(chosen(b, r) == 6);
                const std::string first =
                                      task->decode_target(std::span(row).subspan(1, static_cast<std::size_t>(boundary) - 1)),
                                  second = task->decode_target(std::span(row).subspan(static_cast<std::size_t>(boundary) + 1,
                                                                                      static_cast<std::size_t>(41 - boundary)));
                CHECK(first.size() + second.size() == 40);
                lengths.insert(static_cast<int64_t>(first.size()));
                const bool next = text.find(first + second) != std::string::npos;
                CHECK(next == (b.labels[static_cast<std::size_t>(r)] == 0));
                CHECK(text.find(second) != std::string::npos);
                random += next ? 0 : 1;
            }
        }
        CHECK(std::abs(random / rows - 0.5) < 5 * std::sqrt(0.25 / rows));
        CHECK(*lengths.begin() == 10);
        CHECK(*lengths.rbegin() == 30);
        const Batch b = batches->at(0), part = b.slice(5, 8);
        CHECK(part.segments.rows == 3);
        CHECK(part.labels.size() == 3);
        CHECK(part.labels[1] == b.labels[6]);
        CHECK(part.segments.at(2, 40) == 1);
    }
    TEST_CASE("another text is never the next one, and may be any other") {
        const TestFiles folder;
        auto options = bytes_of(folder, "abcdefghijkl");
        options.text.valid_fraction = 0;
        options.next_sentence = true;
        const auto task = masked_text_task(options, {.context = 13});
        const auto batches = task->batches(Split::train, {.batch = 10, .shuffled = true});
        std::set<int32_t> begins;
        for (int64_t k = 0; k < 60; ++k) {
            const Batch b = batches->at(k);
            for (int64_t r = 0; r < 10; ++r) {
                const Ids32 row = restored(b, r);
                const auto boundary = std::ranges::find(row, 258) - row.begin();
                const auto at = [&](int64_t t) { return row[static_cast<std::size_t>(t)]; };
                CHECK((at(boundary + 1) == at(boundary - 1) + 1) == (b.labels[static_cast<std::size_t>(r)] == 0));
                CHECK(at(11) == at(boundary + 1) + 10 - boundary);
                if (b.labels[static_cast<std::size_t>(r)] == 1)
                    begins.insert(at(boundary + 1));
            }
        }
        CHECK(*begins.begin() == 'a');
        CHECK(*begins.rbegin() == 'k');  // the shortest second text has two bytes
    }
    TEST_CASE("special tokens after a tokenizer's ids") {
        TokenizerSetup setup;
        setup.specials = Specials::own;
        const auto bytes = [&] { return tokenizer_table().build(Selection(tokenizer_table(), "byte"), setup); };
        const auto tokenizer = with_special_tokens(bytes(), {"[MASK]", "[X]"});
        CHECK(tokenizer->size() == 258);
        CHECK(tokenizer->special("[X]") == 257);
        CHECK_FALSE(tokenizer->special("[Y]"));
        CHECK(tokenizer->decode(Ids32{256, 'a', 'b', 257, 257}) == "[MASK]ab[X][X]");
        CHECK(tokenizer->decode(Ids32{'a'}) == "a");
        CHECK(tokenizer->symbol(256) == "[MASK]");
        CHECK(tokenizer->encode("[X]", Place{}) == Ids32{'[', 'X', ']'});
        CHECK(tokenizer->continues_word('a', 'b'));
        CHECK_FALSE(tokenizer->continues_word('a', ' '));
        CHECK_FALSE(tokenizer->continues_word('a', 256));
        CHECK_THROWS_AS(tokenizer->decode(Ids32{258}), Error);
        CHECK(with_special_tokens(bytes(), {})->size() == 256);
    }
    TEST_CASE("broken masked text, each with its message") {
        const TestFiles folder;
        auto options = bytes_of(folder, countable(10));
        CHECK(message(options, {.context = 30}) == "data: the train text is too short: tokens 27, needed 28 for a window");
        options.next_sentence = true;
        CHECK(message(options, {.context = 4}) == "data.context: a window has no room for text: context 4, needed at least 5");
        CHECK(message(options, {.context = 7}) == "data: the valid text is too short: tokens 3, needed 4 for a window");
        CHECK(message(options, {}) == "data.context: the length of a window is needed: data.context 0, model's context 0");
    }
}

}  // namespace masked_text_test
