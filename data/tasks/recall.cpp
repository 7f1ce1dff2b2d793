#include "data/tasks/recall.h"

#include <algorithm>
#include <cmath>

namespace attend {

namespace {

struct RowSize {
    int64_t pairs, length;
    int64_t places() const { return (length - 2 * pairs) / 2; }
};

RowSize checked_size(const RecallOptions& o, const char* of, RowSize size) {
    require(4 * size.pairs <= size.length,
            "recall: the pairs and queries{} do not fit into a row: pairs {}, length {}, needed {}", of, size.pairs,
            size.length, 4 * size.pairs);
    require(size.pairs < o.vocabulary / 2, "recall: there are fewer keys than pairs{}: keys {}, pairs {}; vocabulary {}", of,
            o.vocabulary / 2 - 1, size.pairs, o.vocabulary);
    return size;
}

// `count` different ones of 0 ... n - 1, i with the weight (i + 1)^(power - 1), in the order in which
// draws without replacement would give them: that of ascending E_i / weight_i with E_i exponential
// (the first of several exponential clocks to ring is i with probability weight_i / sum).
std::vector<int64_t> draw_places(Stream& stream, int64_t count, int64_t n, double power) {
    std::vector<std::pair<double, int64_t>> rings;
    for (int64_t i = 0; i < n; ++i)
        rings.emplace_back(-std::log(open_interval(stream.next())) * std::pow(static_cast<double>(i + 1), 1 - power), i);
    std::ranges::partial_sort(rings, rings.begin() + count);
    std::vector<int64_t> places;
    for (int64_t k = 0; k < count; ++k) places.push_back(rings[static_cast<std::size_t>(k)].second);
    return places;
}

}  // namespace

std::unique_ptr<Task> recall_task(const RecallOptions& options, const TaskSetup& setup) {
    const RowSize training = checked_size(options, "", {options.pairs, options.length}),
                  test = checked_size(options, " of the test",
                                      {own_or(options.test_pairs, options.pairs), own_or(options.test_length, options.length)});
    require_amount("recall", options.examples, training.length, test.length);
    const auto vocabulary = static_cast<int32_t>(options.vocabulary), first_value = vocabulary / 2;
    std::vector<std::string> symbols = {"_"};
    for (int32_t k = 1; k < first_value; ++k) symbols.push_back(fmt::format("k{}", k));
    for (int32_t v = first_value; v < vocabulary; ++v) symbols.push_back(fmt::format("v{}", v - first_value + 1));
    SequenceTask task;
    task.name = "recall";
    task.symbols = word_tokenizer(Vocabulary(std::move(symbols), Specials::own));
    task.metrics = {"accuracy", "row_accuracy", "alignment_best_head"};
    generate(task, options.examples, setup, [&](Stream& stream, Split split) {
        const RowSize& size = split == Split::test ? test : training;
        const std::vector<int32_t> key = draw_different(stream, size.pairs, {1, first_value}),
                                   value = draw_different(stream, size.pairs, {first_value, vocabulary});
        const std::vector<int64_t> places = draw_places(stream, size.pairs, size.places(), options.power);
        GeneratedRow e;
        e.input.assign(static_cast<std::size_t>(size.length), 0);
        e.target.assign(static_cast<std::size_t>(size.length), id_ignored);
        std::vector<Range> gold(static_cast<std::size_t>(size.length));
        for (std::size_t i = 0; i < key.size(); ++i) {
            e.input[2 * i] = key[i];
            e.input[2 * i + 1] = value[i];
            const auto query = static_cast<std::size_t>(2 * (size.pairs + places[i]));
            e.input[query] = key[i];
            e.target[query] = value[i];
            gold[query] = {static_cast<int32_t>(2 * i + 1), static_cast<int32_t>(2 * i + 2)};
        }
        for (const Range& g : gold)
            if (g.begin < g.end)
                e.gold.push_back(g);
        e.value = value_of(e.input);
        Stream filler({stream.next(), stream.next()});  // of its own: pairs and queries are the same with and without
        if (options.random_filler)
            for (int32_t& id : e.input)
                if (id == 0)
                    id = static_cast<int32_t>(filler.below(static_cast<uint32_t>(options.vocabulary)));
        return e;
    });
    task.notes = {fmt::format("{} keys and {} values, filler {}", first_value - 1, vocabulary - first_value,
                              options.random_filler ? "drawn from all symbols" : "'_'")};
    return make_task(std::move(task));
}

}  // namespace attend
