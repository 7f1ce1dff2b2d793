#pragma once
/// Which symbols a model predicts in place of which: tables for tasks with a small target alphabet.
#include <map>
#include <string>
#include <vector>

#include "train/evaluate/metrics/metric.h"

namespace attend {

/// Tables make sense up to this many symbols of the target.
constexpr int64_t most_classes = 100;

/// Counts of aligned symbols. Decoded text is aligned with the nearest of its references (of
/// equally near ones the first) by the smallest edit distance (edit_distance.h); a symbol without a
/// partner is paired with "", which no symbol is.
class Confusion {
  public:
    /// Counts one example; one without references does not count.
    void add(const EvaluatedExample& example);

    /// One symbol: how often it stands in references, in decoded text, and in both at the same
    /// place.
    struct Class {
        std::string symbol;
        int64_t reference = 0, decoded = 0, right = 0;
        /// right / decoded, right / reference, and their harmonic mean; 0 where there is nothing to
        /// divide by.
        double precision() const;
        double recall() const;
        double f1() const;
    };
    /// By falling count in the references, then by bytes.
    std::vector<Class> classes() const;

    struct Mistake {
        std::string reference, decoded;  ///< "": nothing (an insertion, a deletion)
        int64_t count = 0;
    };
    /// The `most` most frequent pairs of different symbols, by falling count, then by bytes.
    std::vector<Mistake> mistakes(std::size_t most) const;

    /// How often `decoded` was predicted in place of `reference`; "" as above.
    int64_t count(const std::string& reference, const std::string& decoded) const;

  private:
    std::map<std::pair<std::string, std::string>, int64_t> counts_;
};

/// Tables for people, a line a row, each ended by a line feed. Symbols stand in quotes, a missing
/// one is "-". Per class: symbol, counts in references and decoded text, precision, recall, F1.
std::string class_table(const Confusion& confusion);
/// The most frequent mistakes: count, reference, decoded.
std::string mistake_table(const Confusion& confusion, std::size_t most);
/// The whole matrix: a row a symbol of the references, a column a symbol decoded, "-" last.
std::string confusion_table(const Confusion& confusion);

}  // namespace attend
