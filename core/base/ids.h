#pragma once
/// What nn and data share: token ids and lengths.
#include <string>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/range.h"
#include "core/base/shape.h"

namespace attend {

/// Token ids every vocabulary has. Padding never reaches a loss or an attention weight.
enum SpecialId : int32_t { id_pad = 0, id_bos = 1, id_eos = 2, id_unknown = 3, first_free_id = 4 };

/// What a batch's targets are to its input, as the model that predicts them must know.
enum class TargetKind {
    following,  ///< target t follows what is read up to t: a model that sees beyond t sees the answer
    masked,     ///< the input does not show what the targets are: a model may see all of it
    none,       ///< there are none; rows have labels
};
/// "following", "masked", "none".
const char* target_kind_name(TargetKind kind);
/// The kind of that name. Throws Error for another.
TargetKind target_kind_of(const std::string& name);

/// A batch of id sequences [rows, columns], row-major, padded with id_pad after each row's length.
struct Ids {
    int64_t rows = 0;
    int64_t columns = 0;
    Array<int32_t> values;   ///< rows * columns
    Array<int32_t> lengths;  ///< rows, each 0 ... columns

    Ids() = default;
    Ids(int64_t rows_, int64_t columns_)
        : rows(rows_),
          columns(columns_),
          values(static_cast<std::size_t>(rows_ * columns_), id_pad),
          lengths(static_cast<std::size_t>(rows_), 0) {}

    int32_t& at(int64_t row, int64_t column) { return values[static_cast<std::size_t>(row * columns + column)]; }
    int32_t at(int64_t row, int64_t column) const { return values[static_cast<std::size_t>(row * columns + column)]; }
    int32_t length(int64_t row) const { return lengths[static_cast<std::size_t>(row)]; }
    const int32_t* row(int64_t r) const { return values.data() + r * columns; }
    /// Sum of the lengths.
    int64_t tokens() const {
        int64_t sum = 0;
        for (int32_t n : lengths) sum += n;
        return sum;
    }
    /// Rows [begin, end), columns cut to the longest of them: one shard of a batch.
    Ids slice(int64_t begin, int64_t end) const;
};

/// One Range per score row.
using Ranges = Array<Range>;
/// The first of them, null when there are none: then every row sees all.
inline const Range* first_of(const Ranges& ranges) { return ranges.empty() ? nullptr : ranges.data(); }
/// Throws Error unless there are no ranges, or one for each of the `rows`, all within 0 ...
/// `columns`. The message has what the op `op` looks at: its name and shape.
void check_ranges(const char* op, const Ranges& ranges, int64_t rows, int64_t columns, const char* name, const Shape& shape);

}  // namespace attend
