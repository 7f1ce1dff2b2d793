#include "train/study/plan/plan.h"
#include "train/evaluate/resolve.h"
#include "train/exchange/pretrained.h"

#include <algorithm>

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

Built build(const Experiment& asked) {
    Built b;
    b.task = make_task(asked, "");
    b.experiment = resolve_for(asked, *b.task);
    b.made = with_room_to_train(make_model(b.experiment, *b.task), b.experiment.train);
    take_weights(b.experiment.init, *b.made.model, *b.made.store);
    return b;
}

Plan make_plan(const Experiment& asked, int threads) {
    const Built b = build(asked);
    Plan plan;
    plan.experiment = b.experiment;
    plan.settings = settings(asked, b.experiment);
    plan.data = b.task->describe();
    plan.model = tree_of(*b.made.store, b.experiment.model.name());
    plan.parameters = b.made.store->count();
    plan.estimate = estimate(b.experiment, *b.task, b.made, threads);
    return plan;
}

}  // namespace attend::plan
