"""The images of a campaign: as a job's, and of any number."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .image_binding import ImagesBinding, ImagesConfig, stage, staging_prefix
from .images import Images


@dataclass(frozen=True)
class CampaignImages(Images):
    """Images from a bucket or a manifest, which the campaign cuts into jobs of bounded size."""

    images: Images

    def bind(self, binding: ImagesBinding) -> ImagesConfig:
        """Bind the images, and the place of the jobs' manifests."""
        if not self.images.can_be_cut:
            must = "be Images.from_bucket without a sample, or Images.from_manifest"
            binding.check.fail("images", must, self.images, "what fits into one job needs no campaign")
        config = self.images.bind(binding)
        if "StagingS3Uri" not in config.images:
            staging, uri = stage(binding, listing=False)
            config = replace(
                config,
                images={**config.images, "StagingS3Uri": uri},
                prefixes=(*config.prefixes, (staging, staging_prefix(binding))),
            )
        return replace(config, cut=True)
