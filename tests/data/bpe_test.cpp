#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "core/base/random.h"
#include "data/tasks/parallel.h"
#include "data/text/bpe.h"
#include "data/text/bpe_files.h"
#include "data/text/bpe_tokenizer.h"
#include "data/text/byte_level.h"
#include "data/text/unicode.h"
#include "tests/data/test_files.h"

namespace bpe_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;
using Ids32 = std::vector<int32_t>;

Strings words_of(std::string_view text) {
    Strings all;
    std::size_t at = 0;
    for (auto w = next_word(text, at); !w.empty(); w = next_word(text, at)) all.emplace_back(w);
    return all;
}

// GPT-2's own way, step by step: of all neighbours those of the lowest rank, everywhere from left
// to right.
Strings encode_slowly(const BpeModel& model, std::string_view word) {
    std::map<std::pair<std::string, std::string>, std::size_t> ranks;
    for (std::size_t i = 0; i < model.merges.size(); ++i)
        ranks[{model.tokens[static_cast<std::size_t>(model.merges[i].first)],
               model.tokens[static_cast<std::size_t>(model.merges[i].second)]}] = i;
    Strings symbols;
    for (char c : word) symbols.emplace_back(1, c);
    for (;;) {
        auto best = ranks.end();
        for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
            const auto at = ranks.find({symbols[i], symbols[i + 1]});
            if (at != ranks.end() && (best == ranks.end() || at->second < best->second))
                best = at;
        }
        if (best == ranks.end())
            return symbols;
        Strings merged;
        for (std::size_t i = 0; i < symbols.size(); ++i) {
            const bool here = i + 1 < symbols.size() && symbols[i] == best->first.first && symbols[i + 1] == best->first.second;
            merged.push_back(here ? symbols[i] + symbols[i + 1] : symbols[i]);
            i += here ? 1 : 0;
        }
        symbols = merged;
    }
}

// Counts all neighbours anew before each merge.
BpeModel learn_slowly(const WordCounts& words, int64_t merges) {
    BpeModel model;
    for (int b = 0; b < 256; ++b) model.tokens.emplace_back(1, static_cast<char>(b));
    std::vector<std::pair<Ids32, int64_t>> all;
    for (const auto& [word, count] : words) {
        Ids32 ids;
        for (char c : word) ids.push_back(static_cast<unsigned char>(c));
        all.emplace_back(ids, count);
    }
    for (int64_t m = 0; m < merges; ++m) {
        std::map<std::pair<int32_t, int32_t>, int64_t> counts;
        for (const auto& [ids, count] : all)
            for (std::size_t i = 0; i + 1 < ids.size(); ++i) counts[{ids[i], ids[i + 1]}] += count;
        const auto best = std::ranges::max_element(counts, {}, [](const auto& c) { return c.second; });  // the first of equals
        if (best == counts.end() || best->second < 2)
            break;
        const auto [left, right] = best->first;
        const std::string token = model.tokens[static_cast<std::size_t>(left)] + model.tokens[static_cast<std::size_t>(right)];
        auto at = std::ranges::find(model.tokens, token);
        const auto id = static_cast<int32_t>(at - model.tokens.begin());
        if (at == model.tokens.end())
            model.tokens.push_back(token);
        model.merges.emplace_back(left, right);
        for (auto& entry : all) {
            Ids32 merged;
            for (std::size_t i = 0; i < entry.first.size(); ++i) {
                const bool here = i + 1 < entry.first.size() && entry.first[i] == left && entry.first[i + 1] == right;
                merged.push_back(here ? id : entry.first[i]);
                i += here ? 1 : 0;
            }
            entry.first = merged;
        }
    }
    return model;
}

std::string random_word(Stream& stream, uint32_t longest, uint32_t letters) {
    std::string word;
    const uint32_t size = 1 + stream.below(longest);
    for (uint32_t i = 0; i < size; ++i) word += static_cast<char>('a' + stream.below(letters));
    return word;
}

TokenizerSetup own(const TextPieces& pieces = {}) {
    TokenizerSetup setup;
    setup.pieces = pieces;
    setup.specials = Specials::own;
    return setup;
}

std::string encoder_json(const Strings& more) {
    std::string text = "{";
    for (int b = 0; b < 256; ++b) {
        std::string letter = to_letters(std::string(1, static_cast<char>(b)));
        if (letter == "\"" || letter == "\\")
            letter = "\\" + letter;
        text += fmt::format("\"{}\": {}, ", letter, b);
    }
    for (std::size_t i = 0; i < more.size(); ++i) text += fmt::format("\"{}\": {}, ", more[i], 256 + i);
    return text.substr(0, text.size() - 2) + "}";
}

template <class F>
std::string message(F f) {
    try {
        f();
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

}  // namespace

TEST_SUITE("byte pair encoding") {
    TEST_CASE("GPT-2's pattern") {
        const std::vector<std::pair<std::string, Strings>> cases = {
            {"Hello world", {"Hello", " world"}},
            {"I've we'll it's he'd I'm they're don't",
             {"I", "'ve", " we", "'ll", " it", "'s", " he", "'d", " I", "'m", " they", "'re", " don", "'t"}},
            {"'Ve' 'S", {"'", "Ve", "'", " '", "S"}},
            {" 'tis", {" '", "tis"}},
            {"a1b22 c3", {"a", "1", "b", "22", " c", "3"}},
            {"x  y   z", {"x", " ", " y", "  ", " z"}},
            {"x\n\ny\n", {"x", "\n", "\n", "y", "\n"}},
            {"x\n  y", {"x", "\n ", " y"}},
            {"x \n", {"x", " \n"}},
            {"x\t.", {"x", "\t", "."}},
            {"a, (b)...", {"a", ",", " (", "b", ")..."}},
            {"  ", {"  "}},
            {" ", {" "}},
            {"", {}},
            {"na\u00efve \u4e2d\u6587\u0663\u00bd", {"na\u00efve", " \u4e2d\u6587", "\u0663\u00bd"}},
            {"a\u00a0\u00a0b", {"a", "\u00a0", "\u00a0", "b"}},
            {"\u200bx", {"\u200b", "x"}},  // a zero-width space is no White_Space
            {"e\u0301", {"e", "\u0301"}},  // a mark is no letter
            {"a\xff\xe4 \xc3(", {"a", "\xff\xe4", " \xc3("}},
        };
        for (const auto& [text, words] : cases) {
            CAPTURE(text);
            CHECK(words_of(text) == words);
        }
    }
    TEST_CASE("classes of code points") {
        CHECK(unicode::is_letter(U'\u00df'));
        CHECK(unicode::is_letter(U'\u02b0'));
        CHECK_FALSE(unicode::is_letter(U'\u0301'));
        CHECK(unicode::is_number(U'\u2167'));
        CHECK(unicode::is_space(U'\u0085'));
        CHECK(unicode::is_space(U'\u2028'));
        CHECK_FALSE(unicode::is_space(U'\u001c'));
        CHECK(unicode::is_punctuation(U'\u2014'));
        CHECK_FALSE(unicode::is_punctuation(U'+'));
        CHECK(unicode::lower(U'\u0130') == U'i');
        std::string text;
        for (char32_t c : {U'\u1ea4', U'\uac00', U'x'}) unicode::append_without_marks(text, c);
        CHECK(text == "A\u1100\u1161x");
    }
    TEST_CASE("letters of bytes") {
        std::string all;
        for (int b = 0; b < 256; ++b) all += static_cast<char>(b);
        CHECK(from_letters(to_letters(all)) == all);
        CHECK(to_letters(" \n\xc3\xa9") == "\u0120\u010a\u00c3\u00a9");
        CHECK_FALSE(from_letters("a b"));
        CHECK_FALSE(from_letters("\u0144"));
        CHECK_FALSE(from_letters("\xc4"));
        CHECK(readable("a\u00e9\n\xc3 \x7f") == "a\u00e9\\x0a\\xc3 \\x7f");
    }
    TEST_CASE("learning: the most frequent neighbours, counted anew or not") {
        const WordCounts words = {{"low", 5}, {"lower", 2}, {"newest", 6}, {"widest", 3}};
        const BpeModel model = learn_bpe(words, 4);
        // es 9, then est 9, then lo 7 (of equals the lowest ids), low 7
        CHECK(Strings(model.tokens.begin() + 256, model.tokens.end()) == Strings{"es", "est", "lo", "low"});
        for (uint32_t seed = 0; seed < 20; ++seed) {
            Stream stream(seed, "learning");
            WordCounts random;
            for (int i = 0; i < 40; ++i) random[random_word(stream, 12, 2 + seed % 5)] += 1 + stream.below(9);
            random[random_word(stream, 900, 1 + seed % 5)] = 3;  // without spaces
            const BpeModel fast = learn_bpe(random, 60), slow = learn_slowly(random, 60);
            CHECK(fast.tokens == slow.tokens);
            CHECK(fast.merges == slow.merges);
        }
        CHECK(learn_bpe({{"ab", 1}}, 10).merges.empty());  // once is no pattern
        CHECK(learn_bpe({}, 10).tokens.size() == 256);
        CHECK(learn_bpe({{std::string(5000, 'a'), 1}}, 3).tokens.back() == "aaaaaaaa");
    }
    TEST_CASE("encoding short and long words is GPT-2's") {
        for (uint32_t seed = 0; seed < 12; ++seed) {
            Stream stream(seed, "encoding");
            WordCounts words;
            for (int i = 0; i < 40; ++i) words[random_word(stream, 12, 3)] += 1 + stream.below(9);
            BpeModel model = learn_bpe(words, 50);
            if (seed % 2 == 1)
                stream.shuffle(model.merges);  // files may have any order
            const BytePairEncoder encoder(model, "here");
            for (int i = 0; i < 40; ++i) {
                const std::string word = random_word(stream, i % 4 == 0 ? 200 : 50, 3);
                Ids32 ids = {-7};
                encoder.encode(word, ids);
                Strings tokens;
                for (std::size_t k = 1; k < ids.size(); ++k) tokens.push_back(model.tokens[static_cast<std::size_t>(ids[k])]);
                CHECK(ids[0] == -7);
                CHECK(tokens == encode_slowly(model, word));
            }
        }
    }
    TEST_CASE("bytes and learnt pieces: any bytes there and back, saved, shared ids") {
        const TestFiles folder;
        std::string bytes;
        Stream stream(3, "bytes");
        for (int i = 0; i < 3000; ++i) bytes += static_cast<char>(stream.below(256));
        bytes += "the cat the cat the mat \u4e2d\u6587";
        const TextPieces pieces = [&](auto take) { take(bytes, Place{}); };
        for (const char* name : {"byte", "bpe"}) {
            Selection row(tokenizer_table(), name);
            const auto tokenizer = tokenizer_table().build(row, own(pieces));
            CHECK(tokenizer->exact());
            const Ids32 ids = tokenizer->encode(bytes, Place{});
            CHECK(tokenizer->decode(ids) == bytes);
            CHECK(tokenizer->normal_form(bytes) == bytes);
            CHECK(tokenizer->encode("", Place{}).empty());
            tokenizer->save(folder.path("saved"));
            TokenizerSetup setup = own();
            setup.saved = folder.path("saved");
            const auto again = tokenizer_table().build(row, setup);
            CHECK(again->size() == tokenizer->size());
            CHECK(again->encode(bytes, Place{}) == ids);
            setup.specials = Specials::shared;
            const auto shared = tokenizer_table().build(row, setup);
            CHECK(shared->size() == tokenizer->size() + first_free_id);
            Ids32 moved = ids;
            for (int32_t& id : moved) id += first_free_id;
            CHECK(shared->encode(bytes, Place{}) == moved);
            CHECK(shared->decode(moved) == bytes);
            CHECK(shared->symbol(id_eos) == "</s>");
            CHECK_THROWS_WITH_AS(tokenizer->decode(Ids32{-1}),
                                 fmt::format("{}: id is out of range: id -1, size {}", name, tokenizer->size()).c_str(), Error);
            CHECK_THROWS_AS(tokenizer->symbol(static_cast<int32_t>(tokenizer->size())), Error);
            CHECK_FALSE(tokenizer->special("[MASK]"));
        }
        Selection row(tokenizer_table(), "bpe");
        const auto learnt = tokenizer_table().build(row, own(pieces));
        CHECK(learnt->cut("the cat") == Strings{"the", " cat"});
        row.as<BpeOptions>().merges = 0;
        CHECK(tokenizer_table().build(row, own(pieces))->size() == 256);
        folder.write("saved", "attend vocabulary 1: 1 symbols, own ids\na\n");
        TokenizerSetup wrong = own();
        wrong.saved = folder.path("saved");
        CHECK(message([&] { byte_tokenizer({}, wrong); }) ==
              folder.path("saved") + ": a file of another tokenizer: symbols 1, needed 1, '256 bytes'");
    }
    TEST_CASE("a published vocabulary: two files, one file, a folder") {
        const TestFiles folder;
        BpeOptions options;
        options.vocabulary = folder.write("encoder.json", encoder_json({"he", "\\u0120he", "hel", "<|endoftext|>"}));
        options.merges_file = folder.write("vocab.bpe", "#version: 0.2\nh e\n\u0120 he\nhe l\n");
        const auto tokenizer = bpe_tokenizer(options, own());
        CHECK(tokenizer->size() == 260);
        CHECK(tokenizer->encode("hell he", Place{}) == Ids32{258, 'l', 257});
        CHECK(tokenizer->special("<|endoftext|>") == 259);
        CHECK_FALSE(tokenizer->special("he"));
        CHECK(tokenizer->encode("<|endoftext|>", Place{}).size() == 13);  // text
        CHECK(tokenizer->decode(Ids32{259}) == "<|endoftext|>");
        options.vocabulary = folder.path();
        options.merges_file = "";
        CHECK(bpe_tokenizer(options, own())->encode("hell he", Place{}) == Ids32{258, 'l', 257});
        tokenizer->save(folder.path("tokenizer.json"));
        const auto again = bpe_tokenizer(options, own());  // it stands first now
        CHECK(again->encode("hell he", Place{}) == Ids32{258, 'l', 257});
        CHECK(again->special("<|endoftext|>") == 259);
        CHECK(folder.read("tokenizer.json").find("\"content\": \"<|endoftext|>\"") != std::string::npos);
        // Added tokens beyond the vocabulary, merges as lists.
        folder.write(
            "tokenizer.json",
            "{\"added_tokens\": [{\"id\": 257, \"content\": \"[ X ]\"}], \"pre_tokenizer\": {\"type\": \"ByteLevel\"}, "
            "\"model\": {\"type\": \"BPE\", \"vocab\": " +
                encoder_json({"he"}) + ", \"merges\": [[\"h\", \"e\"]]}}");
        const auto listed = bpe_tokenizer(options, own());
        CHECK(listed->special("[ X ]") == 257);
        CHECK(listed->encode("he", Place{}) == Ids32{256});
    }
    TEST_CASE("pieces of words as the unit of pairs") {
        const TestFiles folder;
        ParallelOptions options;
        options.train = {folder.write("x", "the cat\nthe mat\nthe cat\n"), folder.write("y", "le chat\nle tapis\nle chat\n")};
        options.unit.choose("bpe");
        const auto task = parallel_task(options, {});
        CHECK(task->target_text(Split::train, 1) == "le tapis");
        const Ids ids = task->encode_sources(Strings{"the cat"});
        CHECK(task->source_symbols(ids.values) == Strings{"the", " cat"});
        task->save(folder.path());
        const auto again = parallel_task(options, {.saved = folder.path(), .load_data = false});
        CHECK(again->encode_sources(Strings{"the cat"}).values == ids.values);
    }
    TEST_CASE("broken vocabularies of byte pairs, each with its message") {
        const TestFiles folder;
        const std::string v = folder.path("v"), m = folder.path("m");
        const auto load = [&](const std::string& tokens, const std::string& merges) {
            folder.write("v", tokens);
            folder.write("m", merges);
            return message([&] { BytePairEncoder(load_bpe(v, m), v); });
        };
        const std::string good = encoder_json({"he"});
        CHECK(load(good, "h e\n") == "no error");
        CHECK(load("{", "h e\n").starts_with(v + ": not JSON: "));
        CHECK(load("[1]", "h e\n") == v + ": an object of tokens and ids is needed: found array with 1 entries");
        CHECK(load("{}", "h e\n") == v + ": an object of tokens and ids is needed: found object with 0 entries");
        CHECK(load("{\"a b\": 0}", "h e\n") == v + ": a token is not written in the letters of bytes: 'a b', 3 bytes");
        CHECK(load("{\"a\": 1}", "h e\n") == v + ": ids are the numbers from 0 on, each once: token 'a' has id 1, tokens 1");
        CHECK(load("{\"a\": 0.5}", "h e\n") ==
              v + ": ids are the numbers from 0 on, each once: token 'a' has id 0.5, tokens 1");
        CHECK(load("{\"a\": 0, \"b\": 0}", "h e\n") == v + ": two tokens have one id: 'a' and 'b' have id 0");
        CHECK(load("{\"a\": 0, \"b\": 1}", "a b\n") == v + ": a byte has no token: byte 0x00, written '\u0100', tokens 2");
        CHECK(load(good, "h e l\n") == m + ":1: a merge is two tokens with a blank between them: 'h e l', blanks 2");
        CHECK(load(good, "#version: 0.2\nhe\n") == m + ":2: a merge is two tokens with a blank between them: 'he', blanks 0");
        CHECK(load(good, "h xy\n") == m + ":1: a merge names what is no token: 'xy', tokens 257");
        CHECK(load(good, "h \n") == m + ":1: a token is not written in the letters of bytes: '', 0 bytes");
        CHECK(load(good, "h e\ne l\n") == v + ": a merge makes what is no token: merge number 2 of 'e' and 'l', tokens 257");
        CHECK(load(good, "h e\nh e\n") == v + ": a merge appears twice: 'h' and 'e' are merges number 1 and 2");
        CHECK(message([&] { load_bpe(v, ""); }) ==
              v + ": its merges are needed: files of tokens 1, of merges 0; \"merges_file\" names it (vocab.bpe, merges.txt)");
        CHECK(message([&] { load_bpe(folder.path("gone"), m); }).starts_with(folder.path("gone") + ": "));
        const TestFiles empty;
        CHECK(message([&] { load_bpe(empty.path(), ""); }) ==
              empty.path() +
                  ": no vocabulary in this folder: files found 0, looked for tokenizer.json, encoder.json, vocab.json");
        BpeOptions options;
        options.merges_file = m;
        CHECK(message([&] { bpe_tokenizer(options, own()); }) ==
              "bpe: merges need their tokens: merges_file '" + m + "', vocabulary ''");
        CHECK_THROWS_AS(bpe_tokenizer({}, own()), MachineError);  // no text to learn from

        const auto json = [&](const std::string& rest) { return load("{" + rest + "}", ""); };
        const std::string level = "\"pre_tokenizer\": {\"type\": \"ByteLevel\"}, ", bpe = "\"model\": {\"type\": \"BPE\", ";
        const std::string full = "\"vocab\": " + good + ", \"merges\": [\"h e\"]";
        CHECK(json(level + bpe + full + "}") == "no error");
        CHECK(json(level + "\"model\": {\"type\": \"Unigram\"}") ==
              v + ": another kind of model: model.type \"Unigram\", known \"BPE\"");
        CHECK(json(level + "\"model\": []") == v + ": \"model\" is an object: found array, needed object");
        CHECK(json(bpe + full + "}") == v + ": not GPT-2's way: pre_tokenizer is null, known {\"type\": \"ByteLevel\"}");
        CHECK(json("\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true}, " + bpe + full + "}") ==
              v + ": not GPT-2's way: pre_tokenizer.add_prefix_space is true, known false");
        CHECK(json("\"normalizer\": {\"type\": \"NFC\"}, " + level + bpe + full + "}") ==
              v + ": not GPT-2's way: normalizer is {\"type\":\"NFC\"}, known null");
        CHECK(json(level + bpe + "\"byte_fallback\": true, " + full + "}") ==
              v + ": not GPT-2's way: model.byte_fallback is true, known false");
        CHECK(json(level + bpe + "\"end_of_word_suffix\": \"</w>\", " + full + "}") ==
              v + ": not GPT-2's way: model.end_of_word_suffix is \"</w>\", known null");
        CHECK(json(level + bpe + "\"vocab\": " + good + "}") == v + ": model.merges is a list: found null, needed array");
        CHECK(json(level + bpe + "\"vocab\": " + good + ", \"merges\": [7]}") ==
              v + ": merge number 1: a merge is \"LEFT RIGHT\" or [\"LEFT\", \"RIGHT\"]: found 7, entries 1");
        CHECK(json("\"added_tokens\": [{\"id\": 3}], " + level + bpe + full + "}") ==
              v + ": an added token has \"id\" and \"content\": found {\"id\":3}, needed both");
        CHECK(json("\"added_tokens\": 3, " + level + bpe + full + "}") ==
              v + ": \"added_tokens\" is a list: found number, needed array");
    }
}

}  // namespace bpe_test
