#include "train/evaluate/metrics/confusion.h"

#include <algorithm>

#include "train/evaluate/metrics/edit_distance.h"

namespace attend {

namespace {
double ratio(int64_t part, int64_t whole) { return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole); }
std::string shown(const std::string& symbol) { return symbol.empty() ? "-" : "'" + symbol + "'"; }
}  // namespace

double Confusion::Class::precision() const { return ratio(right, decoded); }
double Confusion::Class::recall() const { return ratio(right, reference); }
double Confusion::Class::f1() const { return ratio(2 * right, reference + decoded); }

void Confusion::add(const EvaluatedExample& e) {
    if (e.references.empty())
        return;
    const auto distance = [&](const Answer& r) { return edit_distance(r.symbols, e.decoded.symbols); };
    const std::vector<std::string>& reference = std::ranges::min_element(e.references, {}, distance)->symbols;
    const auto symbol = [](const std::vector<std::string>& of, int64_t at) {
        return at < 0 ? std::string() : of[static_cast<std::size_t>(at)];
    };
    for (const AlignedPair& pair : align_symbols(reference, e.decoded.symbols))
        ++counts_[{symbol(reference, pair.reference), symbol(e.decoded.symbols, pair.decoded)}];
}

std::vector<Confusion::Class> Confusion::classes() const {
    std::map<std::string, Class> by_symbol;
    for (const auto& [pair, count] : counts_) {
        if (!pair.first.empty())
            by_symbol[pair.first].reference += count;
        if (!pair.second.empty())
            by_symbol[pair.second].decoded += count;
        if (pair.first == pair.second)
            by_symbol[pair.first].right += count;
    }
    std::vector<Class> all;
    for (auto& [symbol, one] : by_symbol) {
        one.symbol = symbol;
        all.push_back(one);
    }
    std::ranges::stable_sort(all, [](const Class& a, const Class& b) { return a.reference > b.reference; });
    return all;
}

std::vector<Confusion::Mistake> Confusion::mistakes(std::size_t most) const {
    std::vector<Mistake> all;
    for (const auto& [pair, count] : counts_)
        if (pair.first != pair.second)
            all.push_back({pair.first, pair.second, count});
    std::ranges::stable_sort(all, [](const Mistake& a, const Mistake& b) { return a.count > b.count; });
    all.resize(std::min(most, all.size()));
    return all;
}

int64_t Confusion::count(const std::string& reference, const std::string& decoded) const {
    const auto at = counts_.find({reference, decoded});
    return at == counts_.end() ? 0 : at->second;
}

std::string class_table(const Confusion& confusion) {
    std::string text =
        fmt::format("{:<12} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "symbol", "reference", "decoded", "precision", "recall", "f1");
    for (const Confusion::Class& c : confusion.classes())
        text += fmt::format("{:<12} {:>9} {:>9} {:>9.4f} {:>9.4f} {:>9.4f}\n", shown(c.symbol), c.reference, c.decoded,
                            c.precision(), c.recall(), c.f1());
    return text;
}

std::string mistake_table(const Confusion& confusion, std::size_t most) {
    std::string text = fmt::format("{:>9} {:<12} {}\n", "count", "reference", "decoded");
    for (const Confusion::Mistake& m : confusion.mistakes(most))
        text += fmt::format("{:>9} {:<12} {}\n", m.count, shown(m.reference), shown(m.decoded));
    return text;
}

std::string confusion_table(const Confusion& confusion) {
    std::vector<std::string> symbols;
    for (const Confusion::Class& c : confusion.classes()) symbols.push_back(c.symbol);
    symbols.emplace_back();
    std::string text = fmt::format("{:<12}", "");
    for (const std::string& column : symbols) text += fmt::format(" {:>7}", shown(column));
    text += '\n';
    for (const std::string& row : symbols) {
        text += fmt::format("{:<12}", shown(row));
        for (const std::string& column : symbols) text += fmt::format(" {:>7}", confusion.count(row, column));
        text += '\n';
    }
    return text;
}

}  // namespace attend
