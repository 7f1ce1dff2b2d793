#include "train/evaluate/decode/picture.h"

#include "train/evaluate/evaluate.h"

namespace attend {

std::string attention_picture(const Task& task, std::span<const int32_t> source, const Decoded& decoded, MapStyle style) {
    const AttentionRows& a = decoded.attention;
    if (a.rows == 0 || a.columns == 0)
        return {};
    std::vector<std::string> target = task.target_symbols(decoded.ids);
    if (decoded.ended)
        target.emplace_back("</s>");
    return draw_attention_map(a.weights, task.source_symbols(source), target, style);
}

std::string first_picture(const Model& model, const Task& task, Split split, int64_t max_length) {
    if (task.source_vocabulary_size() == 0)
        return {};
    const std::vector<std::string> lines = {task.source_text(split, 0)};
    const Ids source = task.encode_sources(lines);
    const auto decoded = decode_beam(model, source, decode_limits(model, task, source, max_length), {}, Collect::attention);
    return attention_picture(task, {source.row(0), static_cast<std::size_t>(source.length(0))}, decoded.front().front(),
                             {Glyphs::blocks, 0});
}

}  // namespace attend
