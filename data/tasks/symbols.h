#pragma once
/// Generated tasks over plain symbols: copy, reverse, sort, repeat, lookup, addition.
#include "data/tasks/generated.h"

namespace attend {

/// copy, reverse, sort: sequences of numbers whose target holds the same numbers in another order.
/// Every target symbol has one source position, so the gold alignment is exact. Symbols are the
/// words "0" ... "symbols - 1"; lengths are uniform over min_length ... max_length (before the
/// division of the sequences between the splits, generated.h).
struct SymbolOptions {
    GeneratedOptions examples;
    int64_t symbols = 20;
    int64_t min_length = 1;
    int64_t max_length = 12;
    void fields(Visitor& v) {
        examples.fields(v);
        v.integer("symbols", symbols, {1, 1'000'000}, "size of the alphabet");
        v.integer("min_length", min_length, {1, 4096}, "shortest sequence");
        v.integer("max_length", max_length, {1, 4096}, "longest sequence");
    }
};

std::unique_ptr<Task> copy_task(const SymbolOptions& options, const TaskSetup& setup);
std::unique_ptr<Task> reverse_task(const SymbolOptions& options, const TaskSetup& setup);
/// Ascending; equal numbers keep their order.
std::unique_ptr<Task> sort_task(const SymbolOptions& options, const TaskSetup& setup);

/// repeat: a sequence of numbers several times over. The source is a count and then the sequence,
/// "x3 5 2", the target the sequence that many times, "5 2 5 2 5 2". The gold alignment is exact;
/// it goes through the source again and again, so the model has to count. A sequence belongs to one
/// split whatever its count.
struct RepeatOptions {
    SymbolOptions sequence;
    int64_t max_repeats = 4;
    void fields(Visitor& v) {
        sequence.fields(v);
        v.integer("max_repeats", max_repeats, {1, 1000}, "the counts are 1 ... max_repeats");
    }
};

/// Throws Error when min_length > max_length or the data would be too large.
std::unique_ptr<Task> repeat_task(const RepeatOptions& options, const TaskSetup& setup);

/// lookup: composed table lookup (Liska et al. 2018, "Memorize or generalize? Searching for a
/// compositional RNN in a haystack"), with the input first and the tables in the order of their
/// application, as Hupkes et al. 2018 write it. Each of the tables t0, t1, ... is a one-to-one map
/// of the bit strings of a length to themselves. The source "011 t3 t0" asks for t0(t3(011)); the
/// target holds the input and the value after each table, "011 110 000", or the result alone.
///
/// Applications of one table are in the training split only, all of whose values a model must have
/// seen; compositions are divided between the splits, by tables and input ("inputs") or by the
/// tables alone ("compositions": no test example's sequence of tables occurs in training).
///
/// Gold alignment of the steps: the input's symbol, then each table's. The result alone depends on
/// all symbols: not known.
struct LookupOptions {
    GeneratedOptions examples;
    int64_t bits = 3;
    int64_t tables = 8;
    int64_t max_tables = 2;
    int64_t table_seed = 1;
    std::string target = "steps";
    std::string held_out = "inputs";
    void fields(Visitor& v) {
        examples.fields(v);
        v.integer("bits", bits, {1, 10}, "length of the bit strings, each of which is one symbol");
        v.integer("tables", tables, {1, 1000}, "how many tables there are");
        v.integer("max_tables", max_tables, {1, 100}, "most tables applied one after the other");
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

/// addition: two decimal numbers to their sum, digit by digit, "47+8" to "55". A digit of the sum
/// depends on a digit of each number and on a carry that may come from far to the right; no one
/// source range determines it, so there is no gold alignment. Least digit first ("order":
/// "reversed") the carry is known when it is needed.
struct AdditionOptions {
    GeneratedOptions examples;
    int64_t min_digits = 1;
    int64_t max_digits = 3;
    std::string order = "usual";
    void fields(Visitor& v) {
        examples.fields(v);
        v.integer("min_digits", min_digits, {1, 18}, "fewest digits of a number");
        v.integer("max_digits", max_digits, {1, 18}, "most digits of a number");
        v.choice("order", order, {"usual", "reversed"}, "order of the sum's digits: as written, or the least first");
    }
};

/// The number of digits of each number is uniform over min_digits ... max_digits, then the number
/// over those of so many digits (0 has one). a+b and b+a belong to the same split. Throws Error
/// when min_digits > max_digits or there are too few sums.
std::unique_ptr<Task> addition_task(const AdditionOptions& options, const TaskSetup& setup);

}  // namespace attend
