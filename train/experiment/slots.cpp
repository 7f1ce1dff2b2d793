#include "train/experiment/slots.h"

#include <algorithm>
#include <array>
#include <set>

#include "train/config/words.h"

namespace attend::ATTEND_PRECISION {

namespace {

// Names of what is missing, of the wrong shape, and unknown to the model.
using Mismatches = std::array<std::vector<std::string>, 3>;

// "2 parameters missing (a, b), 1 of the wrong shape (c: file [2, 3], here [3, 3])"
std::string mismatches_text(const Mismatches& mismatches) {
    static constexpr const char* kinds[] = {"missing", "of the wrong shape", "unknown to this model"};
    std::vector<std::string> parts;
    for (std::size_t k = 0; k < mismatches.size(); ++k)
        if (const std::vector<std::string>& names = mismatches[k]; !names.empty())
            parts.push_back(fmt::format("{} {} ({})",
                                        parts.empty() ? counted(std::ssize(names), "parameter") : std::to_string(names.size()),
                                        kinds[k], joined(names)));
    return joined(parts);
}

}  // namespace

std::vector<Slot> model_slots(ParameterStore& store) {
    std::vector<Slot> slots;
    for (const Parameter& p : store.table()) slots.push_back({p.name, p.shape, store.values(p)});
    for (const NamedState& s : store.states()) slots.push_back({s.name, s.shape, store.state_values(s)});
    return slots;
}

const SafetensorsFile* holder_of(std::span<const SafetensorsFile> files, std::string_view name) {
    const auto at = std::ranges::find_if(files, [&](const SafetensorsFile& f) { return f.has(name); });
    return at == files.end() ? nullptr : &*at;
}

void read_slots(std::span<const SafetensorsFile> files, const std::vector<Slot>& slots, const SlotFile& spoken) {
    Mismatches mismatches;
    std::set<std::string> known;
    for (const Slot& s : slots) {
        const std::string name = spoken.prefix + s.name;
        known.insert(name);
        const SafetensorsFile* file = holder_of(files, name);
        if (file == nullptr)
            mismatches[0].push_back(s.name);
        else if (const Shape& found = file->info(name).shape; found != s.shape)
            mismatches[1].push_back(fmt::format("{}: file {}, here {}", s.name, found.text(), s.shape.text()));
    }
    std::size_t tensors = 0;
    for (const SafetensorsFile& file : files)
        for (const TensorInfo& t : file.tensors()) {
            if (!t.name.starts_with(spoken.prefix) || (spoken.wanted && !spoken.wanted(t.name)))
                continue;
            ++tensors;
            if (!known.contains(t.name))
                mismatches[2].push_back(t.name.substr(spoken.prefix.size()));
        }
    const std::string text = mismatches_text(mismatches);
    require(text.empty(), "{}: {}; {} holds {} tensors, {} expected; {}", spoken.where, text, spoken.file, tensors,
            slots.size(), spoken.hint);
    for (const Slot& s : slots) holder_of(files, spoken.prefix + s.name)->read_into(spoken.prefix + s.name, s.data, s.shape);
}

}  // namespace attend::ATTEND_PRECISION
