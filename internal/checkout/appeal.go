package checkout

import (
	"github.com/united24media/support/internal/campaign"
)

// An appeal is what the support page says for a campaign.
type appeal struct {
	Name, Title, Lead string // Title and Lead are "" where they are as they ship
	Picture, Alt      string // the picture's address; "" for none
	Progress          *campaign.Progress
	Filled            int64 // of the bar, in percent: never over 100
}

// appeal returns what the page says for the campaign of a slug, or nil where
// none of that name runs.
func (s *Service) appeal(slug, lang string) *appeal {
	if slug == "" || s.Campaigns == nil {
		return nil
	}
	c := s.Campaigns.Running(slug)
	if c == nil {
		return nil
	}
	a := &appeal{Name: c.Name(lang), Title: c.Pages[lang].Title, Lead: c.Pages[lang].Lead}
	if c.Picture != "" {
		a.Picture, a.Alt = campaign.PicturePath(c.Picture), c.AltText(lang)
	}
	supporters, known := int64(0), false
	if s.Supporters != nil {
		supporters, known = s.Supporters("campaign:" + slug)
	}
	if a.Progress = c.Progress(lang, supporters, known); a.Progress != nil {
		a.Filled = min(a.Progress.Percent, 100)
	}
	return a
}
