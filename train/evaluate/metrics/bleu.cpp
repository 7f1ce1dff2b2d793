#include "train/evaluate/metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <unordered_map>
#include <utility>

#include "train/evaluate/metrics/corpus.h"
#include "train/evaluate/metrics/metrics.h"
#include "train/evaluate/metrics/white_space.h"

namespace attend {

namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_stop(char c) { return c == '.' || c == ','; }
// The printable ASCII characters but letters, digits and ' - . ,
bool stands_alone(char c) {
    return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
}

std::vector<std::string> split_at_space(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    for (std::size_t at = 0; at < text.size();) {
        const utf8::CodePoint c = utf8::decode(text, at);
        if (!is_white_space(c))
            word += text.substr(at, c.bytes);
        else if (!word.empty())
            words.push_back(std::exchange(word, {}));
        at += c.bytes;
    }
    if (!word.empty())
        words.push_back(std::move(word));
    return words;
}

std::string without_trailing_space(std::string_view text) {
    std::size_t end = 0;
    for (std::size_t at = 0; at < text.size();) {
        const utf8::CodePoint c = utf8::decode(text, at);
        at += c.bytes;
        if (!is_white_space(c))
            end = at;
    }
    return std::string(text.substr(0, end));
}

// One pass over neighbouring bytes, left to right, pairs not overlapping: where `matches`, blanks
// go before, between and after.
struct Blanks {
    const char *before, *between, *after;
};
template <class F>
std::string cut_pairs(std::string_view text, F matches, Blanks blanks) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i + 1 < text.size() && matches(text[i], text[i + 1])) {
            out.append(blanks.before).append(1, text[i]).append(blanks.between).append(1, text[i + 1]).append(blanks.after);
            ++i;
        } else {
            out += text[i];
        }
    }
    return out;
}

using NgramCounts = std::array<std::unordered_map<std::string, int64_t>, 4>;

NgramCounts count_ngrams(const std::vector<std::string>& tokens) {
    NgramCounts counts;
    for (std::size_t begin = 0; begin < tokens.size(); ++begin) {
        std::string ngram;
        for (std::size_t n = 0; n < 4 && begin + n < tokens.size(); ++n) {
            ngram += tokens[begin + n];
            ngram += ' ';  // no token holds one
            ++counts[n][ngram];
        }
    }
    return counts;
}

}  // namespace

std::vector<std::string> tokenize_13a(std::string_view line) {
    std::string text = without_trailing_space(line);
    replace_all(text, "<skipped>", "");
    replace_all(text, "-\n", "");
    replace_all(text, "\n", " ");
    replace_all(text, "&quot;", "\"");
    replace_all(text, "&amp;", "&");
    replace_all(text, "&lt;", "<");
    replace_all(text, "&gt;", ">");
    std::string spaced = " ";
    for (char c : text) {
        if (stands_alone(c))
            spaced.append(" ").append(1, c).append(" ");
        else
            spaced += c;
    }
    spaced += ' ';
    spaced = cut_pairs(spaced, [](char a, char b) { return !is_digit(a) && is_stop(b); }, {"", " ", " "});
    spaced = cut_pairs(spaced, [](char a, char b) { return is_stop(a) && !is_digit(b); }, {" ", " ", ""});
    spaced = cut_pairs(spaced, [](char a, char b) { return is_digit(a) && b == '-'; }, {"", " ", " "});
    return split_at_space(spaced);
}

void BleuCounts::add(std::string_view hypothesis, std::span<const std::string_view> references) {
    ensure(!references.empty(), "bleu: a line needs a reference: references {}, needed at least 1", references.size());
    const std::vector<std::string> h = tokenize_13a(hypothesis);
    const auto h_length = static_cast<int64_t>(h.size());
    NgramCounts of_r;
    int64_t closest = 0;
    for (std::size_t i = 0; i < references.size(); ++i) {
        const std::vector<std::string> r = tokenize_13a(references[i]);
        const auto length = static_cast<int64_t>(r.size());
        const int64_t far = std::abs(length - h_length), before = std::abs(closest - h_length);
        if (i == 0 || far < before || (far == before && length < closest))
            closest = length;
        const NgramCounts counts = count_ngrams(r);
        for (std::size_t n = 0; n < 4; ++n)
            for (const auto& [ngram, count] : counts[n]) {
                int64_t& most = of_r[n][ngram];
                most = std::max(most, count);
            }
    }
    hypothesis_length += h_length;
    reference_length += closest;
    const NgramCounts of_h = count_ngrams(h);
    for (std::size_t n = 0; n < 4; ++n)
        for (const auto& [ngram, count] : of_h[n]) {
            possible[n] += count;
            const auto there = of_r[n].find(ngram);
            if (there != of_r[n].end())
                matches[n] += std::min(count, there->second);
        }
}

double BleuCounts::score() const {
    if (std::ranges::all_of(matches, [](int64_t m) { return m == 0; }))
        return 0;
    double logs = 0, smoothing = 1;
    for (std::size_t n = 0; n < 4; ++n) {
        if (possible[n] == 0)
            return 0;
        double hits = static_cast<double>(matches[n]);
        if (matches[n] == 0)
            hits = 1 / (smoothing *= 2);
        logs += std::log(hits / static_cast<double>(possible[n]));
    }
    const double ratio = static_cast<double>(reference_length) / static_cast<double>(hypothesis_length);
    return 100 * std::exp(std::min(0.0, 1 - ratio) + logs / 4);
}

Metric make_bleu() { return corpus_metric<BleuCounts>(); }

}  // namespace attend
