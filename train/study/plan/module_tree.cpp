#include "train/study/plan/module_tree.h"

namespace attend::plan {

namespace {

Module& part_of(Module& module, const std::string& name) {
    for (Module& m : module.parts)
        if (m.name == name && m.shape.empty())
            return m;
    module.parts.push_back({name, "", 0, true, {}});
    return module.parts.back();
}

}  // namespace

Module tree_of(const ParameterStore& store, const std::string& name) {
    Module root{name, "", 0, true, {}};
    for (const Parameter& p : store.table()) {
        Module* at = &root;
        at->count += p.shape.size();
        std::size_t begin = 0;
        for (std::size_t dot; (dot = p.name.find('.', begin)) != std::string::npos; begin = dot + 1) {
            at = &part_of(*at, p.name.substr(begin, dot - begin));
            at->count += p.shape.size();
        }
        at->parts.push_back({p.name.substr(begin), p.shape.text(), p.shape.size(), p.trainable, {}});
    }
    return root;
}

}  // namespace attend::plan
