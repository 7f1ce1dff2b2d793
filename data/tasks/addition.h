#pragma once
/// addition: two decimal numbers to their sum, digit by digit, "47+8" to "55". A digit of the sum
/// depends on a digit of each number and on a carry that may come from far to the right; no one
/// source range determines it, so there is no gold alignment. Least digit first ("order":
/// "reversed") the carry is known when it is needed.
#include "data/tasks/generated.h"

namespace attend {

struct AdditionOptions {
    GeneratedOptions examples;
    int64_t min_digits = 1;
    int64_t max_digits = 3;
    int64_t test_min_digits = 0, test_max_digits = 0;
    std::string order = "usual";
    void fields(Visitor& v) {
        examples.fields(v);
        v.integer("min_digits", min_digits, {1, 18}, "fewest digits of a number");
        v.integer("max_digits", max_digits, {1, 18}, "most digits of a number");
        v.integer("test_min_digits", test_min_digits, {1, 18, "auto"}, "fewest digits in the test; auto: min_digits");
        v.integer("test_max_digits", test_max_digits, {1, 18, "auto"}, "most digits in the test; auto: max_digits");
        v.choice("order", order, {"usual", "reversed"}, "order of the sum's digits: as written, or the least first");
    }
};

/// The number of digits of each number is uniform over min_digits ... max_digits, in the test over
/// test_min_digits ... test_max_digits, then the number over those of so many digits (0 has one). a+b
/// and b+a belong to the same split. Throws Error when counts of digits are the wrong way round or
/// there are too few sums.
std::unique_ptr<Task> addition_task(const AdditionOptions& options, const TaskSetup& setup);

}  // namespace attend
