#include "train/study/plan/plan.h"

#include "train/evaluate/resolve.h"
#include "train/exchange/pretrained.h"

namespace attend::plan {

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
