"""A step as one function, compiled on the machine where it runs, by llvmlite (extra `fast`): no compiler needed.

torch takes a dozen operators for a step, each of which reads and writes memory and costs more than its arithmetic at
small sizes. `lanes` is arithmetic, `equations` the cell's; `loop` walks over rows and columns, `blocks` does a product
on the way; `native` makes machine code, `kernels` says of what, `passes` runs the steps. State is float32, on a CPU;
products may be bfloat16. Elsewhere `lstmbench.model.cell` serves.
"""
