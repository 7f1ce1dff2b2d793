#include "train/experiment/slots.h"

#include <algorithm>
#include <set>

namespace attend::ATTEND_PRECISION {

namespace {

// "2 parameters missing (a, b), 1 of the wrong shape (c: file [2, 3], here [3, 3])"
class Mismatches {
  public:
    void add(std::size_t kind, std::string name) { names_[kind].push_back(std::move(name)); }
    std::string text() const {
        static constexpr const char* kinds[] = {"missing", "of the wrong shape", "unknown to this model"};
        std::string all;
        for (std::size_t k = 0; k < 3; ++k) {
            if (names_[k].empty())
                continue;
            all += all.empty() ? "" : ", ";
            const char* noun = !all.empty() ? "" : names_[k].size() == 1 ? "parameter " : "parameters ";
            all += fmt::format("{} {}{} (", names_[k].size(), noun, kinds[k]);
            for (std::size_t i = 0; i < names_[k].size(); ++i) all += (i ? ", " : "") + names_[k][i];
            all += ")";
        }
        return all;
    }

  private:
    std::vector<std::string> names_[3];
};

}  // namespace

std::vector<Slot> model_slots(ParameterStore& store) {
    std::vector<Slot> slots;
    for (const Parameter& p : store.table()) slots.push_back({p.name, p.shape, store.values(p)});
    for (const NamedState& s : store.states()) slots.push_back({s.name, s.shape, store.state_values(s)});
    return slots;
}

void read_slots(const SafetensorsFile& file, const std::vector<Slot>& slots, const SlotFile& spoken) {
    const SafetensorsFile* const one = &file;
    read_slots({&one, 1}, slots, spoken);
}

void read_slots(std::span<const SafetensorsFile* const> files, const std::vector<Slot>& slots, const SlotFile& spoken) {
    const auto holder = [&](const std::string& name) {
        const auto at = std::find_if(files.begin(), files.end(), [&](const SafetensorsFile* f) { return f->has(name); });
        return at == files.end() ? nullptr : *at;
    };
    Mismatches mismatches;
    std::set<std::string> known;
    for (const Slot& s : slots) {
        const std::string name = spoken.prefix + s.name;
        known.insert(name);
        const SafetensorsFile* file = holder(name);
        if (file == nullptr)
            mismatches.add(0, s.name);
        else if (const Shape& found = file->info(name).shape; found != s.shape)
            mismatches.add(1, fmt::format("{}: file {}, here {}", s.name, found.text(), s.shape.text()));
    }
    std::size_t tensors = 0;
    for (const SafetensorsFile* file : files)
        for (const TensorInfo& t : file->tensors()) {
            if (!t.name.starts_with(spoken.prefix) || (spoken.wanted && !spoken.wanted(t.name)))
                continue;
            ++tensors;
            if (!known.contains(t.name))
                mismatches.add(2, t.name.substr(spoken.prefix.size()));
        }
    const std::string text = mismatches.text();
    require(text.empty(), "{}: {}; {} holds {} tensors, {} expected; {}", spoken.where, text, spoken.file, tensors,
            slots.size(), spoken.hint);
    for (const Slot& s : slots) holder(spoken.prefix + s.name)->read_into(spoken.prefix + s.name, s.data, s.shape);
}

}  // namespace attend::ATTEND_PRECISION
