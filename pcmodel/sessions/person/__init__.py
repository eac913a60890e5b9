"""One person: traits, the hierarchy of a belief about the self, and what an event does to it.

- `traits`            how people differ, and the phenotypes they are drawn from
- `hierarchy`         the network of the belief, and which of its levels play senses, middle and top
- `attribution`       whether an experience says something about the self
- `event`             inference, a learning step, the time that passes
- `dynamics`          what is alike in everybody
- `threat_and_trust`  what released serotonin does to evidence
"""
