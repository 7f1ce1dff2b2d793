#include "train/evaluate/metrics/confusion.h"

#include <algorithm>

#include "train/evaluate/metrics/edit_distance.h"
#include "train/evaluate/text_table.h"

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
    std::vector<std::vector<std::string>> rows = {{"symbol", "reference", "decoded", "precision", "recall", "f1"}};
    const auto share = [](double value) { return fmt::format("{:.4f}", value); };
    for (const Confusion::Class& c : confusion.classes())
        rows.push_back({shown(c.symbol), std::to_string(c.reference), std::to_string(c.decoded), share(c.precision()),
                        share(c.recall()), share(c.f1())});
    std::vector<Column> columns(rows[0].size(), {Align::right, 9});
    columns[0] = {Align::left, 12};
    return text_table(rows, columns, 1);
}

std::string mistake_table(const Confusion& confusion, std::size_t most) {
    std::vector<std::vector<std::string>> rows = {{"count", "reference", "decoded"}};
    for (const Confusion::Mistake& m : confusion.mistakes(most))
        rows.push_back({std::to_string(m.count), shown(m.reference), shown(m.decoded)});
    return text_table(rows, {{Align::right, 9}, {Align::left, 12}}, 1);
}

std::string confusion_table(const Confusion& confusion) {
    std::vector<std::string> symbols;
    for (const Confusion::Class& c : confusion.classes()) symbols.push_back(c.symbol);
    symbols.emplace_back();
    std::vector<std::vector<std::string>> rows = {{""}};
    for (const std::string& column : symbols) rows[0].push_back(shown(column));
    for (const std::string& row : symbols) {
        rows.push_back({shown(row)});
        for (const std::string& column : symbols) rows.back().push_back(std::to_string(confusion.count(row, column)));
    }
    std::vector<Column> columns(rows[0].size(), {Align::right, 7});
    columns[0] = {Align::left, 12};
    return text_table(rows, columns, 1);
}

}  // namespace attend
