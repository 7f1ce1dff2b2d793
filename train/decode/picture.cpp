#include "train/decode/picture.h"

namespace attend::inline ATTEND_PRECISION {

std::string attention_picture(const Task& task, std::span<const int32_t> source, const Decoded& decoded, MapStyle style) {
    const AttentionRows& a = decoded.attention;
    if (a.rows == 0 || a.columns == 0)
        return {};
    std::vector<std::string> target = task.target_symbols(decoded.ids);
    if (decoded.ended)
        target.emplace_back("</s>");
    return draw_attention_map(a.weights, task.source_symbols(source), target, style);
}

}  // namespace attend::inline ATTEND_PRECISION
