"""The section of a training's page on the detection of out-of-distribution images by free energy."""

from typing import Any

import numpy as np

from pcmodel.report import Section, Table

FOREIGN = {"permuted": "pixels in another order", "inverted": "white for black"}
REFERENCES = (
    "DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837 (error of the area under the curve).",
    "Nalisnick, Matsukawa, Teh, Gorur & Lakshminarayanan 2019, ICLR: Do deep generative models know "
    "what they don't know?",
)


def foreign_of(run: Any) -> Any:
    """Free energies of test and out-of-distribution images; None for a classifier."""
    from pcmodel.training.evaluation.out_of_distribution import foreign_free_energies

    if not run.preparation.is_generative:
        return None
    return foreign_free_energies(run.network, run.split.test, run.preparation)


def laplace_of(run: Any) -> Any:
    """Diagnostics of the Laplace posteriors of some test images; None for a classifier."""
    from pcmodel.training.evaluation.out_of_distribution import diagnose_images

    if not run.preparation.is_generative:
        return None
    images = np.asarray(run.split.test.images)
    return diagnose_images(run.network, images, run.preparation)


def detections_of(foreign: Any) -> dict[str, Any]:
    """Area under the ROC curve and its error by kind of images; empty without free energies."""
    from pcmodel.training.evaluation.out_of_distribution import detections

    return {} if foreign is None else detections(foreign)


def foreign_section(
    foreign: Any, detected: dict[str, Any], laplace: Any
) -> tuple[Section, ...]:
    """The section with the areas and their interpretation; empty without detections."""
    if not detected:
        return ()
    rows = [
        (FOREIGN[name], f"{found.auroc:.3f} ± {found.standard_error:.3f}")
        for name, found in detected.items()
    ]
    said = (
        "The area is the share of pairs in which the foreign image has the higher free energy (Laplace "
        "-log evidence, no label told): 1 means that the network always finds foreign images less "
        "likely, 0.5 that its free energy says nothing; a higher free energy of foreign data is not "
        "guaranteed (Nalisnick et al. 2019)."
    )
    caption = (
        f"{len(foreign.test)} test images against the same images made foreign. "
        "Standard errors of DeLong et al. 1988, which take the two kinds as independent and are 0 where "
        "every pair is ordered alike, which says little when images are few."
    )
    table = Table(("Foreign images", "Area under the ROC curve"), rows, caption)
    return (
        Section(
            "Foreign images", paragraphs=(said, laplace.sentence()), tables=(table,)
        ),
    )
