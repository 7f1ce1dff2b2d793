#pragma once
/// The layout in which a model's kind was published: names and orientations of tensors and the entries of its config.json, as
/// Hugging Face's transformers library keeps them. What a model says here is all that reading and writing such folders needs.
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/gemm.h"

namespace attend::inline ATTEND_PRECISION {

/// One tensor of the layout and the parameter, or columns of it, that it is.
struct PublishedTensor {
    std::string theirs, ours;
    Transpose stored = Transpose::no;  ///< yes: theirs is [out, in], ours [in, out]
    int64_t first = 0, columns = 0;    ///< of ours; 0 columns: all
};

using PublishedValue = std::variant<bool, int64_t, double, std::string>;

struct PublishedLayout {
    std::string model_type;    ///< "gpt2"
    std::string architecture;  ///< "GPT2LMHeadModel"
    std::string prefix;        ///< names are written with it, and read with it or without: "transformer."
    std::vector<PublishedTensor> tensors;
    /// Name patterns ('*' any characters) of tensors that are no parameters, or that are others once more.
    std::vector<std::string> passed_over;
    /// Entries of config.json that must agree with a folder's that is read.
    std::vector<std::pair<std::string, PublishedValue>> decisive;
    /// Entries that are written besides.
    std::vector<std::pair<std::string, PublishedValue>> further;
};

}  // namespace attend::inline ATTEND_PRECISION
