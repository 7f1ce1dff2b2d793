#include "data/tasks/generated.h"

#include <algorithm>
#include <unordered_map>

#include "core/base/interruption.h"

namespace attend {

int64_t LengthRange::draw(Stream& stream) const { return least + stream.below(static_cast<uint32_t>(most - least + 1)); }

// Fisher and Yates, of whose table only the entries that moved are kept.
std::vector<int32_t> draw_different(Stream& stream, int64_t count, Range from) {
    std::unordered_map<int32_t, int32_t> moved;
    const auto at = [&](int32_t i) { return moved.contains(i) ? moved[i] : i; };
    std::vector<int32_t> drawn;
    for (int32_t i = from.begin; std::ssize(drawn) < count; ++i) {
        const int32_t j = i + static_cast<int32_t>(stream.below(static_cast<uint32_t>(from.end - i)));
        drawn.push_back(at(j));
        moved[j] = at(i);
    }
    return drawn;
}

SplitLengths split_lengths(const char* task, const char* unit, LengthRange training, LengthRange test) {
    require(training.least <= training.most, "{}: sizes are the wrong way round: min_{} {}, max_{} {}", task, unit,
            training.least, unit, training.most);
    const LengthRange own = {own_or(test.least, training.least), own_or(test.most, training.most)};
    require(own.least <= own.most,
            "{}: sizes of the test are the wrong way round: test_min_{} {}, test_max_{} {}; auto is that of training", task,
            unit, own.least, unit, own.most);
    return {training, own};
}

void require_amount(const char* name, const GeneratedOptions& options, int64_t symbols_each, int64_t test_symbols_each) {
    const int64_t total =
        (options.train_examples + options.valid_examples) * symbols_each + options.test_examples * test_symbols_each;
    constexpr int64_t most = int64_t{1} << 30;
    require(total <= most, "{}: too much data: examples times longest target {}, allowed {}", name, total, most);
}

Split split_of(std::string_view value) {
    switch (hash_name(value) % 10) {
        case 0:
            return Split::test;
        case 1:
            return Split::valid;
        default:
            return Split::train;
    }
}

std::string value_of(std::span<const int32_t> ids) {
    std::string bytes;
    for (const int32_t id : ids)
        for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(static_cast<uint32_t>(id) >> shift & 0xff);
    return bytes;
}

namespace {

// Draws the examples of all splits and hands them to add(split, number, example).
template <class Example, class Add>
void draw_all(const std::string& task, const GeneratedOptions& options, const TaskSetup& setup,
              FunctionRef<Example(Stream&, Split)> draw, Add add) {
    if (!setup.load_data)
        return;
    constexpr int tries = 10'000;
    const auto example = [&](Split split, int64_t number) {
        const bool own = split == Split::test && options.test_seed > 0;
        Stream stream(own ? static_cast<uint64_t>(options.test_seed) : setup.seed,
                      fmt::format("{}.{}.{}", task, split_name(split), number));
        for (int i = 0; i < tries; ++i) {
            Example e = draw(stream, split);
            if (e.only.value_or(split_of(e.value)) == split)
                return e;
        }
        fail(
            "{}: too few different examples to divide them between the splits: {} example {} not found in {} draws; "
            "more symbols or greater lengths, or no such split, help",
            task, split_name(split), number, tries);
    };
    const auto fill = [&](Split split, int64_t count) {
        for (int64_t i = 0; i < count; ++i) {
            interruption_point();
            add(split, i, example(split, i));
        }
    };
    fill(Split::train, options.train_examples);
    fill(Split::valid, options.valid_examples);
    fill(Split::test, options.test_examples);
}

std::string place_of_example(const std::string& task, Split split, int64_t number) {
    return fmt::format("{}: {} example {}", task, split_name(split), number);
}

}  // namespace

void generate(PairTask& task, const GeneratedOptions& options, const TaskSetup& setup,
              FunctionRef<GeneratedExample(Stream&, Split)> draw) {
    draw_all(task.name, options, setup, draw, [&](Split split, int64_t i, const GeneratedExample& e) {
        PairSplit& pairs = task.split(split);
        pairs.source.add(task.source->encode(e.source, Place{}));
        pairs.target.add(task.target->encode(e.target, Place{}));
        ensure(e.gold.empty() || pairs.target.length(i) == static_cast<int64_t>(e.gold.size()),
               "{}: gold alignment of another length: ranges {}, target symbols {}", task.name, e.gold.size(),
               pairs.target.length(i));
        const auto place = [&] { return place_of_example(task.name, split, i); };
        note_longest(pairs, pairs.source.length(i), pairs.target.length(i), place, place);
        pairs.source_text.add(e.source);
        pairs.target_text.add(e.target);
        if (!e.gold.empty())
            pairs.gold.add(e.gold);
    });
}

void generate(SequenceTask& task, const GeneratedOptions& options, const TaskSetup& setup,
              FunctionRef<GeneratedRow(Stream&, Split)> draw) {
    draw_all(task.name, options, setup, draw, [&](Split split, int64_t i, const GeneratedRow& e) {
        const auto targets = std::ranges::count_if(e.target, [](int32_t id) { return id != id_ignored; });
        ensure(e.input.size() == e.target.size() && (e.gold.empty() || std::ssize(e.gold) == targets),
               "{}: a row does not fit together: inputs {}, places for targets {}, targets {}, gold ranges {}", task.name,
               e.input.size(), e.target.size(), targets, e.gold.size());
        SequenceSplit& rows = task.split(split);
        rows.input.add(e.input);
        rows.target.add(e.target);
        if (!e.gold.empty())
            rows.gold.add(e.gold);
        if (rows.input.length(i) > rows.longest.input.symbols)
            rows.longest.input = {rows.input.length(i), place_of_example(task.name, split, i)};
    });
}

}  // namespace attend
