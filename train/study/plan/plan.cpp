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
    return {.experiment = b.experiment,
            .settings = settings(asked, b.experiment),
            .data = b.task->describe(),
            .model = tree_of(*b.made.store, b.experiment.model.name()),
            .parameters = b.made.store->count(),
            .estimate = estimate(b.experiment, *b.task, b.made, threads)};
}

}  // namespace attend::plan
