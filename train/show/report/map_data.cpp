#include <algorithm>
#include <nlohmann/json.hpp>

#include "train/records/maps.h"
#include "train/show/report/report.h"

namespace attend {

namespace {

std::string base64(std::string_view bytes) {
    constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
        uint32_t bits = 0;
        for (std::size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k) text.push_back(k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=');
    }
    return text;
}

// Whether all weights above the diagonal are +0, as with a causal window.
bool is_triangle(const KeptMap& m) {
    for (int64_t r = 0; r < m.shape[0]; ++r)
        for (int64_t c = r + 1; c < m.shape[1]; ++c)
            if (const real w = m.weights[static_cast<std::size_t>(r * m.shape[1] + c)]; w != 0 || std::signbit(w))
                return false;
    return m.shape[0] == m.shape[1] && m.shape[0] > 1;
}

int64_t values_of(const Json& map) {
    const auto rows = map["shape"][0].get<int64_t>(), columns = map["shape"][1].get<int64_t>();
    return map["triangle"].get<bool>() ? rows * (rows + 1) / 2 : rows * columns;
}

std::string packed(const KeptMap& m, bool triangle) {
    std::string bytes;
    for (int64_t r = 0; r < m.shape[0]; ++r) {
        const auto n = static_cast<std::size_t>(triangle ? r + 1 : m.shape[1]) * sizeof(real);
        bytes.append(reinterpret_cast<const char*>(m.weights.data() + r * m.shape[1]), n);
    }
    return bytes;
}

// k of n indices, evenly spaced, with the first and the last.
std::vector<std::size_t> evenly(std::size_t n, std::size_t k) {
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < k; ++i) chosen.push_back(k == 1 ? n - 1 : (i * (n - 1) + (k - 1) / 2) / (k - 1));
    return chosen;
}

// What is the same in every evaluation.
Json described(const KeptExample& example) {
    Json all = {{"number", example.number}, {"source", example.source},
                {"input", example.input},   {"target", example.target},
                {"gold", Json::array()},    {"lengths", {{"source", example.source_length}, {"target", example.target_length}}},
                {"maps", Json::array()}};
    for (const auto& [begin, end] : example.gold) all["gold"].push_back({begin, end});
    for (const KeptMap& m : example.maps)
        all["maps"].push_back({{"site", m.site},
                               {"number", m.number},
                               {"rows", m.rows},
                               {"columns", m.columns},
                               {"shape", {m.shape[0], m.shape[1]}}});
    return all;
}

}  // namespace

Json run_maps(const RunFolder& run, int64_t room, Json& notes) {
    std::vector<KeptMaps> files;
    for (const auto& [step, path] : map_files(run.maps())) try {
            files.push_back(read_maps(path));
        } catch (const Error& e) {
            notes.push_back(fmt::format("Maps of step {} are left out: {}", step, e.what()));
        }
    if (files.empty())
        return nullptr;

    // Frames of an example have the same description; another description (from an earlier start of
    // the run) is another example.
    struct Frame {
        const KeptMaps* file;
        const KeptExample* example;
    };
    Json examples = Json::array();
    std::vector<std::vector<Frame>> frames;
    for (const KeptMaps& file : files)
        for (const KeptExample& e : file.examples) {
            Json about = described(e);
            const auto same = std::find(examples.begin(), examples.end(), about);
            const auto at = static_cast<std::size_t>(same - examples.begin());
            if (same == examples.end()) {
                examples.push_back(std::move(about));
                frames.emplace_back();
            }
            frames[at].push_back({&file, &e});
        }
    for (std::size_t i = 0; i < examples.size(); ++i)
        for (std::size_t m = 0; m < examples[i]["maps"].size(); ++m)
            examples[i]["maps"][m]["triangle"] = std::all_of(frames[i].begin(), frames[i].end(),
                                                             [&](const Frame& f) { return is_triangle(f.example->maps[m]); });

    // To save room, evaluations are left out first, down to eight, then examples, then more
    // evaluations.
    const auto size_of = [&](std::size_t i) {
        int64_t values = 0, symbols = 0;
        for (const Json& map : examples[i]["maps"]) {
            values += values_of(map);
            symbols += map["shape"][0].get<int64_t>();
        }
        return values * static_cast<int64_t>(sizeof(real)) * 4 / 3 + 8 * symbols + 200;
    };
    std::size_t shown = examples.size(), most = 0;
    for (const auto& f : frames) most = std::max(most, f.size());
    const std::size_t all = most;
    const auto total = [&] {
        int64_t sum = 0;
        for (std::size_t i = 0; i < shown; ++i) sum += size_of(i) * static_cast<int64_t>(std::min(most, frames[i].size()));
        return sum;
    };
    while (total() > room && (most > 1 || shown > 1)) {
        if (most > 8 || shown == 1)
            --most;
        else
            --shown;
    }
    if (total() > room) {
        notes.push_back("The attention maps are left out: they are too large for this page.");
        return nullptr;
    }
    if (most < all || shown < examples.size())
        notes.push_back(fmt::format(
            "To keep the page small it shows the maps of {} of {} evaluations and {} of {} examples; the run's folder "
            "maps/ has them all.",
            most, all, shown, examples.size()));

    Json result = {{"type", sizeof(real) == 4 ? "f32" : "f64"}, {"split", files.front().split}, {"examples", Json::array()}};
    for (std::size_t i = 0; i < shown; ++i) {
        Json& example = examples[i];
        example["frames"] = Json::array();
        for (const std::size_t k : evenly(frames[i].size(), std::min(most, frames[i].size()))) {
            const Frame& f = frames[i][k];
            Json frame = {{"step", f.file->step}, {"predicted", f.example->predicted}, {"chosen", Json::object()}};
            std::string bytes;
            for (std::size_t m = 0; m < f.example->maps.size(); ++m) {
                const KeptMap& map = f.example->maps[m];
                bytes += packed(map, example["maps"][m]["triangle"].get<bool>());
                if (!map.chosen.empty())
                    frame["chosen"][map.site] = map.chosen;
            }
            frame["weights"] = base64(bytes);
            example["frames"].push_back(std::move(frame));
        }
        result["examples"].push_back(std::move(example));
    }
    return result;
}

}  // namespace attend
