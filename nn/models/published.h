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
    std::string prefix;        ///< of names, which may lack it where they are read: "transformer."
    std::vector<PublishedTensor> tensors;
    /// Tensors that other models of this kind have, as heads of other tasks, and what they would be called here: a file may
    /// hold them where `init.take` leaves them out.
    std::vector<PublishedTensor> elsewhere;
    /// Ends of names, and how older files write them: {"LayerNorm.weight", "LayerNorm.gamma"}.
    std::vector<std::pair<std::string, std::string>> older;
    /// Name patterns ('*' any characters) of tensors, without the prefix, that are no parameters, or are others once more.
    std::vector<std::string> passed_over;
    /// Entries of config.json that must agree with a folder's that is read, as written; and what a folder without such an entry
    /// means by that (transformers' defaults). Where shapes show the value, none is needed.
    std::vector<std::pair<std::string, PublishedValue>> decisive, unsaid;
    /// Entries that ask for another function where a folder has them with other values.
    std::vector<std::pair<std::string, PublishedValue>> only;
    /// Entries that are written besides.
    std::vector<std::pair<std::string, PublishedValue>> further;
};

}  // namespace attend::inline ATTEND_PRECISION
