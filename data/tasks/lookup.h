#pragma once
/// lookup: composed table lookup (Liska et al. 2018, "Memorize or generalize? Searching for a
/// compositional RNN in a haystack"), with the input first and the tables in the order of their
/// application, as Hupkes et al. 2018 write it. Each of the tables t0, t1, ... is a one-to-one map
/// of the bit strings of a length to themselves. The source "011 t3 t0" asks for t0(t3(011)); the
/// target holds the input and the value after each table, "011 110 000", or the result alone.
///
/// Applications of one table are in the training split only, all of whose values a model must have
/// seen; compositions are divided between the splits, by tables and input ("inputs") or by the
/// tables alone ("compositions": no test example's sequence of tables occurs in training). The test
/// can ask for more tables than training does.
///
/// Gold alignment of the steps: the input's symbol, then each table's. The result alone depends on
/// all symbols: not known.
#include "data/tasks/generated.h"

namespace attend {

struct LookupOptions {
    GeneratedOptions examples;
    int64_t bits = 3;
    int64_t tables = 8;
    int64_t max_tables = 2;
    int64_t test_min_tables = 0, test_max_tables = 0;
    int64_t table_seed = 1;
    std::string target = "steps";
    std::string held_out = "inputs";
    void fields(Visitor& v) {
        examples.fields(v);
        v.integer("bits", bits, {1, 10}, "length of the bit strings, each of which is one symbol");
        v.integer("tables", tables, {1, 1000}, "how many tables there are");
        v.integer("max_tables", max_tables, {1, 100}, "most tables applied one after the other");
        v.integer("test_min_tables", test_min_tables, {2, 100, "auto"},
                  "fewest tables one after the other in the test; auto: 2");
        v.integer("test_max_tables", test_max_tables, {2, 100, "auto"},
                  "most tables one after the other in the test; auto: max_tables");
        v.integer("table_seed", table_seed, {0, int64_t{1} << 53}, "what the tables are drawn from, apart from the run's seed");
        v.choice("target", target, {"steps", "result"}, "steps: the input and every value on the way; result: the last alone");
        v.choice("held_out", held_out, {"inputs", "compositions"},
                 "what training does not show of validation and test: the input together with its tables, or the sequence of "
                 "tables at all");
    }
};

/// Table `number` of a world of tables: entry i is the value of input i.
std::vector<int32_t> lookup_table(const LookupOptions& options, int64_t number);

/// Throws Error when the compositions are too few to be divided between the splits, as with
/// max_tables 1 and a validation split.
std::unique_ptr<Task> lookup_task(const LookupOptions& options, const TaskSetup& setup);

}  // namespace attend
