#include "train/metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "train/metrics/metrics.h"

namespace attend::inline ATTEND_PRECISION {

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

// Bytes of the white space character (as Unicode and Python see it) at `at`, 0 when there is none.
std::size_t space_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const unsigned a = byte(at), b = byte(at + 1), c = byte(at + 2);
    if ((a >= 0x09 && a <= 0x0D) || (a >= 0x1C && a <= 0x20))
        return 1;
    if (a == 0xC2)
        return b == 0x85 || b == 0xA0 ? 2 : 0;  // U+0085, U+00A0
    if (a == 0xE1)
        return b == 0x9A && c == 0x80 ? 3 : 0;  // U+1680
    if (a == 0xE2 && b == 0x80)                 // U+2000 to U+200A, 2028, 2029, 202F
        return (c >= 0x80 && c <= 0x8A) || c == 0xA8 || c == 0xA9 || c == 0xAF ? 3 : 0;
    if (a == 0xE2)
        return b == 0x81 && c == 0x9F ? 3 : 0;           // U+205F
    return a == 0xE3 && b == 0x80 && c == 0x80 ? 3 : 0;  // U+3000
}

std::vector<std::string> split_at_space(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t space = space_at(text, at);
        if (space == 0) {
            word += text[at++];
            continue;
        }
        if (!word.empty())
            words.push_back(std::move(word));
        word.clear();
        at += space;
    }
    if (!word.empty())
        words.push_back(std::move(word));
    return words;
}

std::string without_trailing_space(std::string_view text) {
    std::size_t end = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t space = space_at(text, at);
        at += space > 0 ? space : 1;
        if (space == 0)
            end = at;
    }
    return std::string(text.substr(0, end));
}

// One pass over neighbouring bytes, left to right, pairs not overlapping: where `matches`, blanks go before, between, behind.
struct Blanks {
    const char *before, *between, *behind;
};
template <class F>
std::string cut_pairs(std::string_view text, F matches, Blanks blanks) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i + 1 < text.size() && matches(text[i], text[i + 1])) {
            out.append(blanks.before).append(1, text[i]).append(blanks.between).append(1, text[i + 1]).append(blanks.behind);
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

class Bleu final : public Metric {
  public:
    void add(const EvaluatedExample& e) override {
        counts_.add(e.decoded, e.reference);
        ++examples_;
    }
    std::optional<double> value() const override {
        if (examples_ == 0)
            return std::nullopt;
        return counts_.score();
    }
    bool needs_decoding() const override { return true; }

  private:
    BleuCounts counts_;
    int64_t examples_ = 0;
};

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

void BleuCounts::add(std::string_view hypothesis, std::string_view reference) {
    const std::vector<std::string> h = tokenize_13a(hypothesis), r = tokenize_13a(reference);
    hypothesis_length += static_cast<int64_t>(h.size());
    reference_length += static_cast<int64_t>(r.size());
    const NgramCounts of_h = count_ngrams(h), of_r = count_ngrams(r);
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

std::unique_ptr<Metric> make_bleu() { return std::make_unique<Bleu>(); }

}  // namespace attend::inline ATTEND_PRECISION
