#pragma once
/// The layout in which a model's kind was published: names and orientations of tensors and the
/// entries of its config.json, as Hugging Face's transformers library keeps them. This is all that
/// reading and writing such folders needs.
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/gemm.h"

namespace attend::ATTEND_PRECISION {

/// What the rows (the first axis) of a published tensor are.
enum class PublishedRows {
    fixed,
    ids,  ///< one for each id: a file has more of them where its vocabulary was padded
};

/// One tensor of the layout and the parameter, or columns of it, that it is.
struct PublishedTensor {
    std::string theirs, ours;
    Transpose stored = Transpose::no;  ///< yes: theirs is [out, in], ours [in, out]
    int64_t first = 0, columns = 0;    ///< of ours; 0 columns: all
    PublishedRows rows = PublishedRows::fixed;
};

/// A tensor that is another one once more: a file may hold either or both, and both must be equal.
struct PublishedCopy {
    std::string theirs, of;  ///< names in the layout
    std::string belongs_to;  ///< ours: looked at only where the model has this parameter and it is read
};

using PublishedValue = std::variant<bool, int64_t, double, std::string>;

struct PublishedLayout {
    std::string model_type;    ///< "gpt2"
    std::string architecture;  ///< "GPT2LMHeadModel"
    std::string family;        ///< how names of architectures of this kind begin: "GPT2"
    std::string prefix;        ///< of names, which may be without it where they are read: "transformer."
    std::string telling;       ///< a tensor by whose name alone this kind is known, as it may be written
    std::vector<PublishedTensor> tensors;
    std::vector<PublishedCopy> copies;
    /// Tensors that other models of this kind have, as heads of other tasks, and what they would be
    /// called here: a file may hold them where `init.take` leaves them out.
    std::vector<PublishedTensor> elsewhere;
    /// Ends of names, and how older files write them: {"LayerNorm.weight", "LayerNorm.gamma"}.
    std::vector<std::pair<std::string, std::string>> older;
    /// Name patterns ('*' any characters) of tensors, without the prefix, that are no parameters.
    std::vector<std::string> passed_over;
    /// Entries of config.json that must agree with a folder's that is read, as written; and what a
    /// folder without such an entry means by that (transformers' defaults). Where shapes show the
    /// value, none is needed.
    std::vector<std::pair<std::string, PublishedValue>> decisive, unsaid;
    /// Entries that ask for another function where a folder has them with other values.
    std::vector<std::pair<std::string, PublishedValue>> only;
    /// Entries that are written besides.
    std::vector<std::pair<std::string, PublishedValue>> further;
};

}  // namespace attend::ATTEND_PRECISION
